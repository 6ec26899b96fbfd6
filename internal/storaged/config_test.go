// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfigIsTakenOverTheDefaults(t *testing.T) {
	c, err := ParseConfig([]byte("softroce: [eth1]\nrescan: 5s\nretry: {max: 10s}\nexclude: [/dev/sda*]\n"))
	require.NoError(t, err)
	want := DefaultConfig()
	want.SoftRoCE, want.Rescan, want.Retry.Max, want.Exclude = []string{"eth1"}, 5*time.Second, 10*time.Second, []string{"/dev/sda*"}
	require.Equal(t, want, c)
	require.True(t, c.wanted("/dev/sdb", ""))
	require.False(t, c.wanted("/dev/sda1", ""))
	empty, err := ParseConfig(nil)
	require.NoError(t, err)
	require.Equal(t, DefaultConfig(), empty)
}

// A wrong configuration is refused with one line that names the field.
func TestWrongConfigIsRefusedByField(t *testing.T) {
	for text, want := range map[string]string{
		"listen: 9742":                                  "listen: ",
		"listen: localhost:0":                           "listen: port",
		"listen: localhost:70000":                       "listen: port",
		"modules: ['../evil']":                          "modules: ",
		"modules: ['-r']":                               "modules: ",
		"softroce: [averyverylongname]":                 "softroce: ",
		"softroce: ['../x']":                            "softroce: ",
		"devices: []":                                   "devices: ",
		"devices: ['/dev/[']":                           "devices: ",
		"devices: [/etc/passwd]":                        "devices: ",
		"exclude: [sdb]":                                "exclude: ",
		"rescan: 0s":                                    "rescan: ",
		"rescan: 100h":                                  "rescan: ",
		"rescan: 30":                                    "line 1",
		"retry: {first: 1ms}":                           "retry.first: ",
		"retry: {first: 10s, max: 5s}":                  "retry.max: ",
		"socket: storaged.sock":                         "socket: ",
		"socket: ''":                                    "socket: ",
		"tls: {listen: ':70000'}":                       "tls.listen: ",
		"tls: {listen: ':9743'}":                        "tls.cert: ",
		"tls: {listen: ':9743', cert: /c, key: k}":      "tls.key: ",
		"tls: {listen: ':9743', cert: /c, key: /k}":     "tls.ca: ",
		"tls: {listen: off, cart: /c}":                  "cart",
		"verify: {every: 10m}":                          "verify.every: ",
		"verify: {rate: fast}":                          "verify.rate: ",
		"verify: {rate: ''}":                            "verify.rate: ",
		"verify: {window: always}":                      "verify.window: ",
		"verify: {window: 22:00-24:00}":                 "verify.window: ",
		"verify: {window: 07:00-07:00}":                 "verify.window: ",
		"grow: yes":                                     "grow: ",
		"verify: {evry: 168h}":                          "evry",
		"rescam: 5s":                                    "rescam",
		"- a list":                                      "line 1",
		"listen: off\n---\nlisten: off":                 "more than one document",
		"a: &a [1]\nb: *nothing":                        "unknown anchor",
		"listen: '" + strings.Repeat("x", 70<<10) + "'": "larger than",
	} {
		_, err := ParseConfig([]byte(text))
		require.Error(t, err, "%.60q was taken", text)
		require.Contains(t, err.Error(), want, "%.60q", text)
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 400)
	}
}

func TestOnlyTheDefaultFileMayBeMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "storaged.yaml")
	c, err := LoadConfig(path, false)
	require.NoError(t, err)
	require.Equal(t, DefaultConfig(), c)
	_, err = LoadConfig(path, true)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("rescan: x\n"), 0o644))
	_, err = LoadConfig(path, false)
	require.ErrorContains(t, err, path)
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("listen: off\nsoftroce: [eth0]\nretry: {first: 1s, max: 2s}\n"))
	f.Add([]byte("{devices: ['/dev/*'], rescan: 1h}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseConfig(raw)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NoError(t, c.Check())
		c.wanted("/dev/sda", "")
	})
}
