// SPDX-License-Identifier: Apache-2.0

// The configuration: one small YAML file, every field with a default, refused as a whole with one
// line that names the field.

package storaged

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rmr-block/rmr/internal/api"
)

// ConfigFile is read when no other is named; it may be missing.
const ConfigFile = "/etc/rmr/storaged.yaml"

const (
	configMax = 64 << 10 // bytes of a file that is no mistake
	socketMax = 107      // bytes of a socket's path, UNIX_PATH_MAX less its terminator
	netdevMax = 15       // bytes of a network device's name, IFNAMSIZ less its terminator
)

// Config is what an operator may say. Durations are as in Go: 500ms, 30s, 5m.
type Config struct {
	// Listen is HOST:PORT of /metrics and /healthz; "off" serves neither.
	Listen string `yaml:"listen"`
	// Modules are loaded if they are not there.
	Modules []string `yaml:"modules"`
	// SoftRoCE are network devices that get an RDMA device in software if they have none.
	SoftRoCE []string `yaml:"softroce"`
	// Devices are patterns of device paths to look at; Exclude takes some out again.
	Devices []string `yaml:"devices"`
	Exclude []string `yaml:"exclude"`
	// Rescan is the time between two looks at everything; changes of disks are acted on at once.
	Rescan time.Duration `yaml:"rescan"`
	Retry  Retry         `yaml:"retry"`
	// Socket is the path of a Unix socket where rmrctl --socket has commands run; "off" for none.
	Socket string `yaml:"socket"`
	// TLS is the same for other hosts.
	TLS TLS `yaml:"tls"`
	// Verify compares members by a schedule.
	Verify Verify `yaml:"verify"`
	// Grow is what is done about a device that got larger than its store: tell or auto.
	Grow string `yaml:"grow"`
}

// TLS is an address where rmrctl --server has commands run, for clients with a certificate of the authority.
type TLS struct {
	// Listen is HOST:PORT; "off" for none.
	Listen    string `yaml:"listen"`
	api.Files `yaml:",inline"`
}

func (t TLS) check() error {
	if err := checkListen(t.Listen); err != nil {
		return fmt.Errorf("tls.%w", err)
	}
	for _, f := range []struct{ field, path string }{{"cert", t.Cert}, {"key", t.Key}, {"ca", t.CA}} {
		if t.Listen != "off" && !filepath.IsAbs(f.path) {
			return fmt.Errorf("tls.%s: %.200q is no absolute path", f.field, f.path)
		}
	}
	return nil
}

// Retry bounds the time between two attempts at what failed. It doubles from First to Max and is
// spread by half of itself to both sides; nothing is ever given up.
type Retry struct {
	First time.Duration `yaml:"first"`
	Max   time.Duration `yaml:"max"`
}

// DefaultConfig is what holds without a file.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:9742", Modules: []string{"brmr_server"}, Devices: []string{"/dev/*", "/dev/mapper/*"},
		Rescan: 30 * time.Second, Retry: Retry{First: time.Second, Max: time.Minute},
		Socket: "/run/rmr/storaged.sock", TLS: TLS{Listen: "off"}, Verify: Verify{Rate: "none"}, Grow: growTell,
	}
}

// LoadConfig reads a file over the defaults. A missing file is an error only if it must exist.
func LoadConfig(path string, must bool) (Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return DefaultConfig(), nil
	}
	if err != nil {
		return Config{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, configMax+1))
	if err != nil {
		return Config{}, err
	}
	c, err := ParseConfig(raw)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ParseConfig decodes and checks; unknown keys are errors.
func ParseConfig(raw []byte) (Config, error) {
	if len(raw) > configMax {
		return Config{}, fmt.Errorf("larger than %d bytes", configMax)
	}
	c := DefaultConfig()
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, errors.New(oneLine(err.Error()))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("more than one document")
	}
	return c, c.Check()
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$`)

// Check compares every field with its limits. The error names the field.
func (c Config) Check() error {
	if err := checkListen(c.Listen); err != nil {
		return err
	}
	for _, m := range c.Modules {
		if !moduleName.MatchString(m) {
			return fmt.Errorf("modules: %.70q is no name of a kernel module", m)
		}
	}
	for _, d := range c.SoftRoCE {
		if d == "" || len(d) > netdevMax || d == "." || d == ".." || strings.ContainsAny(d, "/: \t\n\x00") {
			return fmt.Errorf("softroce: %.70q is no name of a network device", d)
		}
	}
	if len(c.Devices) == 0 {
		return errors.New("devices: no pattern; leave it out to look at all block devices")
	}
	for field, list := range map[string][]string{"devices": c.Devices, "exclude": c.Exclude} {
		for _, p := range list {
			if _, err := filepath.Match(p, ""); err != nil || !strings.HasPrefix(p, "/dev/") {
				return fmt.Errorf("%s: %.200q is no pattern of paths under /dev", field, p)
			}
		}
	}
	if c.Socket != "off" && (!filepath.IsAbs(c.Socket) || len(c.Socket) > socketMax) {
		return fmt.Errorf("socket: %.200q is neither an absolute path of at most %d bytes nor off", c.Socket, socketMax)
	}
	if err := c.TLS.check(); err != nil {
		return err
	}
	if err := c.Verify.check(); err != nil {
		return err
	}
	if c.Grow != growTell && c.Grow != growAuto {
		return fmt.Errorf("grow: %.40q is neither %s nor %s", c.Grow, growTell, growAuto)
	}
	return c.checkTimes()
}

func (c Config) checkTimes() error {
	for _, t := range []struct {
		field       string
		value       time.Duration
		least, most time.Duration
	}{
		{"rescan", c.Rescan, time.Second, time.Hour},
		{"retry.first", c.Retry.First, 100 * time.Millisecond, time.Minute},
		{"retry.max", c.Retry.Max, c.Retry.First, time.Hour},
	} {
		if t.value < t.least || t.value > t.most {
			return fmt.Errorf("%s: %v is not within %v to %v", t.field, t.value, t.least, t.most)
		}
	}
	return nil
}

func checkListen(s string) error {
	if s == "off" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("listen: %.100q is neither HOST:PORT nor off", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("listen: port %.20q is not 1 to 65535", port)
	}
	if strings.ContainsAny(host, " /") {
		return fmt.Errorf("listen: host %.100q has a space or a slash", host)
	}
	return nil
}

// wanted tells whether a device may be looked at by one of its paths.
func (c Config) wanted(paths ...string) bool {
	return matches(c.Devices, paths) && !matches(c.Exclude, paths)
}

func matches(patterns, paths []string) bool {
	for _, pattern := range patterns {
		for _, path := range paths {
			if ok, err := filepath.Match(pattern, path); ok && err == nil {
				return true
			}
		}
	}
	return false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
