// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/events"
)

// console makes a console log of one boot.
func console(lines ...string) string {
	s := "[    0.000000] Linux version 6.12.0\n"
	for i, line := range lines {
		s += fmt.Sprintf("[%5d.000000] %s\r\n", i, line)
	}
	return s
}

var attached = []string{
	"rmr vol: leg 0: connecting -> promised reason 0", "rmr vol: leg 1: connecting -> promised reason 0",
	"rmr vol: leg 0: promised -> up-to-date reason 0", "rmr vol: leg 1: promised -> up-to-date reason 0",
	"rmr vol: live, epoch 1 view 2 up-to-date 0x3 syncing 0x0",
}

func with(lines ...string) string {
	return console(append(append([]string{}, attached...), lines...)...)
}

func TestGoodLogHasNoViolation(t *testing.T) {
	c := events.NewChecker()
	c.Log(with(
		"something else -> entirely",
		"rmr vol: leg 1: up-to-date -> failed reason 5", "rmr vol: view 3 counts: up-to-date 0x1 syncing 0x0",
		"rmr vol: leg 1: failed -> promised reason 0", "rmr vol: leg 1: promised -> joining reason 0",
		"rmr vol: leg 1: joining -> promised reason 0", "rmr vol: leg 1: promised -> joining reason 0",
		"rmr vol: view 4 counts: up-to-date 0x1 syncing 0x2", "rmr vol: leg 1: joining -> syncing reason 0",
		"rmr vol: view 5 counts: up-to-date 0x3 syncing 0x0", "rmr vol: leg 1: syncing -> up-to-date reason 0",
		"rmr vol: live -> suspended: no up-to-date leg is left", "rmr vol: live, epoch 2 view 6 up-to-date 0x3 syncing 0x0",
		"rmr vol: detached", attached[0], attached[2],
	) + console(attached...))
	require.NoError(t, c.Err())
	require.Greater(t, c.Changes, 20)
	c = events.NewChecker()
	c.Log(console(
		"rmr vol/1: state idle -> attached reason 0", "rmr vol/1: resync none -> waiting reason 0 chunks 0 of 0 bytes 0 failures 0",
		"rmr vol/1: resync waiting -> copying reason 0 chunks 0 of 9 bytes 0 failures 0", "rmr vol/1: state attached -> idle reason 0",
	))
	require.NoError(t, c.Err())
	require.Equal(t, 4, c.Changes)
}

func TestIllegalChangesInALogAreFound(t *testing.T) {
	for line, why := range map[string]string{
		"rmr vol: leg 1: up-to-date -> joining reason 0":                                 "in no table",
		"rmr vol: leg 1: up-to-date -> promised reason 0":                                "in no table",
		"rmr vol: leg 1: syncing -> up-to-date reason 0":                                 "was up-to-date and is said to leave syncing",
		"rmr vol: leg 1: connecting -> promised reason 0":                                "was up-to-date and is said to leave connecting",
		"rmr vol: leg 1: healthy -> promised reason 0":                                   `no state "healthy"`,
		"rmr vol: leg 1: up-to-date -> sick reason 0":                                    "in no table",
		"rmr vol: view 2 counts: up-to-date 0x1 syncing 0x0":                             "view 2 after view 2",
		"rmr vol: view 3 counts: up-to-date 0x0 syncing 0x3":                             "U is empty",
		"rmr vol: view 3 counts: up-to-date 0x7 syncing 0x0":                             "gains member 2",
		"rmr vol: view 3 counts: up-to-date 0x3 syncing 0x2":                             "in U and Y",
		"rmr vol/1: state attached -> idle reason 0":                                     "was idle and is said to leave attached",
		"rmr vol/1: resync copying -> done reason 0 chunks 1 of 1 bytes 4096 failures 0": "was none and is said to leave copying",
		"rmr vol: leg 2: failed -> up-to-date reason 0":                                  "was connecting and is said to leave failed",
	} {
		c := events.NewChecker()
		c.Log(with(line))
		require.Len(t, c.Violations(), 1, line)
		require.Contains(t, c.Violations()[0].Why, why)
		require.Equal(t, 7, c.Violations()[0].Line)
		require.ErrorContains(t, c.Err(), line)
	}
}

func stream(lines ...string) string {
	s := ""
	for _, line := range lines {
		f := strings.Fields(line + " - - -")
		s += fmt.Sprintf(`{"action":%q,"object":%q,"key":%q,"name":"vol","state":%q,"reason":"none","detail":""}`+"\n", f[0], f[1], f[2], f[3])
	}
	return s
}

func TestStream(t *testing.T) {
	good := []string{
		"exists device brmr0 live", "exists leg brmr0/0 up-to-date", "exists -", "change leg brmr0/0 failed", "change leg brmr0/0 syncing",
		"create pool vol/1 idle", "change pool vol/1 attached", "change device brmr0 detaching", "destroy leg brmr0/0 failed", "destroy device brmr0 detaching",
	}
	c := events.NewChecker()
	require.NoError(t, c.Stream(stream(good...)))
	require.NoError(t, c.Err())
	require.Equal(t, 9, c.Changes)
	for line, why := range map[string]string{
		"create device brmr0 live":   "exists already",
		"change leg brmr0/7 failed":  "does not exist",
		"destroy leg brmr0/7 failed": "does not exist",
		"change leg brmr0/0 sick":    `no state "sick"`,
		"exists pool vol/1 idle":     "out of place",
		"rename pool vol/1 idle":     "no action",
	} {
		c := events.NewChecker()
		require.NoError(t, c.Stream(stream(append(append([]string{}, good[:3]...), line)...)))
		require.Len(t, c.Violations(), 1, line)
		require.Contains(t, c.Violations()[0].Why, why)
	}
	c = events.NewChecker()
	require.NoError(t, c.Stream(stream(append(append([]string{}, good[:8]...), "change device brmr0 live")...)))
	require.ErrorContains(t, c.Err(), "nothing leads from detaching to live")
	c = events.NewChecker()
	again := strings.ReplaceAll(stream("change device brmr0 attaching", "change device brmr0 live"), `"vol"`, `"vol2"`)
	require.NoError(t, c.Stream(stream(good[:8]...)+again))
	require.NoError(t, c.Err(), "unmapped and mapped for another pool")
	require.Error(t, events.NewChecker().Stream("{\n"))
}
