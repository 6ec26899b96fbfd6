// SPDX-License-Identifier: Apache-2.0

// Names of mapped devices: targets on the command line, the links under /dev/brmr/by-name, and
// the list of storage nodes to ask.

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

const (
	byNameDir = "/dev/brmr/by-name"
	nodesFile = "/etc/rmr/nodes.yaml"
	nodesEnv  = "RMR_NODES"
)

// addTarget adds what identifies a device: a path under /dev, or else a pool name.
func (a *app) addTarget(req *rmrnl.Request, target string) error {
	if name, ok := strings.CutPrefix(target, byNameDir+"/"); ok {
		target = name
	}
	if digits, ok := strings.CutPrefix(target, "/dev/brmr"); ok {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return &usageError{fmt.Sprintf("%q: want a pool name or /dev/brmrN", target)}
		}
		req.Add(rmrnl.DeviceAttrIndex, uint32(n))
		return nil
	}
	if err := checkPoolName(target); err != nil {
		return err
	}
	req.Add(rmrnl.DeviceAttrName, target)
	return nil
}

// waitNode waits until the kernel has made the device node.
func (a *app) waitNode(ctx context.Context, index uint32, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		_, err := os.Stat(a.path(devicePath(index)))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the pool is mapped, but %s did not appear within %v: is devtmpfs mounted on /dev?",
				devicePath(index), limit)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// linkName makes /dev/brmr/by-name/NAME point to the device, in one step.
func (a *app) linkName(name string, index uint32) (string, error) {
	link := filepath.Join(byNameDir, name)
	path := a.path(link)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeSymlink == 0 {
		return "", fmt.Errorf("%s is no symbolic link: remove it", link)
	}
	temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", name, os.Getpid()))
	if err := os.Symlink(fmt.Sprintf("../../brmr%d", index), temp); err != nil {
		return "", err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return "", err
	}
	return link, nil
}

// unlinkName removes the link of a pool if it points to the device.
func (a *app) unlinkName(name string, index uint32) error {
	path := a.path(filepath.Join(byNameDir, name))
	to, err := os.Readlink(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && filepath.Base(to) != fmt.Sprintf("brmr%d", index) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// nodeList is /etc/rmr/nodes.yaml: addresses of storage nodes, for all pools or for single ones.
type nodeList struct {
	Nodes []string            `yaml:"nodes"`
	Pools map[string][]string `yaml:"pools"`
}

// storageNodes says whom to ask for a pool: the option, the environment, or the file.
func (a *app) storageNodes(name string, option []string) ([]string, error) {
	if len(option) > 0 {
		return option, checkAddrs("--node", option)
	}
	if list := splitList(a.Getenv(nodesEnv)); len(list) > 0 {
		return list, checkAddrs(nodesEnv, list)
	}
	raw, err := os.ReadFile(a.path(nodesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &usageError{fmt.Sprintf("no storage nodes known: give --node ADDR, set %s, or write %s", nodesEnv, nodesFile)}
	}
	if err != nil {
		return nil, err
	}
	var file nodeList
	dec := yaml.NewDecoder(strings.NewReader(string(raw)))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", nodesFile, err)
	}
	list := file.Nodes
	if own, ok := file.Pools[name]; ok {
		list = own
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no nodes for pool %s in it", nodesFile, name)
	}
	return list, checkAddrs(nodesFile, list)
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
