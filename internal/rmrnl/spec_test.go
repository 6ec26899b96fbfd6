// SPDX-License-Identifier: Apache-2.0

package rmrnl

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spec_gen.go is what the generator makes of the specification now.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	fresh, err := exec.Command("go", "run", "./gen", "../../docs/netlink/rmr.yaml", "-").Output()
	require.NoError(t, err)
	have, err := os.ReadFile("spec_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(fresh), string(have), "run `go generate ./internal/rmrnl`")
}

// Two generators read the specification, the kernel's and ours: they must give the same numbers.
func TestNumbersAreThoseOfTheKernelHeader(t *testing.T) {
	want := headerNumbers(t, "../../kmod/include/uapi/linux/rmr.h")
	require.Greater(t, len(want), 100)
	got := map[string]int{}
	for cmd, op := range Ops {
		got[upper("CMD", op.Name)] = int(cmd)
	}
	got["CMD_POOL_NTF"], got["CMD_DEVICE_NTF"], got["CMD_LEG_NTF"] = int(CmdPoolNtf), int(CmdDeviceNtf), int(CmdLegNtf)
	for name, set := range map[string]AttrSet{"MEMBER": SetMember, "POOL": SetPool, "DEVICE": SetDevice, "LEG": SetLeg, "DIFFERENCE": SetDifference, "LATENCY": SetLatency} {
		for id, a := range set {
			got[upper("A_"+name, a.Name)] = int(id)
		}
	}
	for name, values := range map[string][]string{
		"POOL_STATE": namesPoolState, "DEVICE_STATE": namesDeviceState, "LEG_STATE": namesLegState, "REASON": namesReason, "RESYNC_STATE": namesResyncState, "QUORUM": namesQuorum, "RESYNC_PACE": namesResyncPace, "VERIFY_STATE": namesVerifyState, "ON_ERROR": namesOnError, "LATENCY_OF": namesLatencyOf, "LATENCY_OP": namesLatencyOp,
	} {
		for i, v := range values {
			got[upper(name, v)] = i
		}
	}
	maps.DeleteFunc(want, func(name string, _ int) bool { return strings.HasSuffix(name, "_PAD") })
	require.Equal(t, want, got)
}

func upper(prefix, name string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// headerNumbers reads the enumerations of a generated header; a value without number is one more
// than the one before.
func headerNumbers(t *testing.T, path string) map[string]int {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	numbers := map[string]int{}
	entry := regexp.MustCompile(`^\tRMR_([A-Z0-9_]+)(?: = (\d+))?,$`)
	next := 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if strings.HasPrefix(sc.Text(), "enum") {
			next = 0
		}
		if m := entry.FindStringSubmatch(sc.Text()); m != nil {
			if m[2] != "" {
				_, err := fmt.Sscan(m[2], &next)
				require.NoError(t, err)
			}
			numbers[m[1]] = next
			next++
		}
	}
	return numbers
}

func TestRequestOutsideTheSpecificationIsRefused(t *testing.T) {
	long := strings.Repeat("x", NameMax+1)
	for name, c := range map[string]struct {
		req  *Request
		want string
	}{
		"command":        {&Request{Cmd: 200}, "command 200 is unknown"},
		"foreign field":  {new(Request).with(CmdPoolStop).Add(PoolAttrSize, uint64(1)), "size is no part of pool-stop"},
		"empty name":     {new(Request).with(CmdPoolStop).Add(PoolAttrName, ""), "name is empty"},
		"long name":      {new(Request).with(CmdPoolStop).Add(PoolAttrName, long), "name has 64 bytes, at most 63 are allowed"},
		"zero byte":      {new(Request).with(CmdPoolStop).Add(PoolAttrName, "a\x00b"), "name has a zero byte"},
		"large id":       {new(Request).with(CmdPoolJoin).Add(PoolAttrMemberID, uint8(8)), "member-id is 8, at most 7 is allowed"},
		"type":           {new(Request).with(CmdPoolCreate).Add(PoolAttrSize, 5), "size has Go type int, not uint64"},
		"state is reply": {new(Request).with(CmdPoolCreate).Add(PoolAttrState, uint8(1)), "state is no part of pool-create"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.req.Check()
			var field *FieldError
			require.ErrorAs(t, err, &field)
			require.EqualError(t, err, c.want)
			_, err = c.req.marshal()
			require.ErrorAs(t, err, &field)
		})
	}
}

func (r *Request) with(cmd uint8) *Request {
	r.Cmd = cmd
	return r
}

func TestMaskListsItsNumbers(t *testing.T) {
	require.Equal(t, "-", Mask(0).String())
	require.Equal(t, "0,3,7", Mask(0x89).String())
	raw, err := Mask(0x81).MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "[0,7]", string(raw))
	var m Mask
	require.NoError(t, m.UnmarshalJSON(raw))
	require.Equal(t, Mask(0x81), m)
	require.Error(t, m.UnmarshalJSON([]byte("[8]")))
	require.True(t, m.Has(7))
	require.False(t, m.Has(8))
}

// A value of a newer kernel is shown as a number, not taken for another one.
func TestUnknownStateKeepsItsNumber(t *testing.T) {
	require.Equal(t, "unknown-99", PoolState(99).String())
	for _, name := range namesReason {
		var r Reason
		require.NoError(t, r.UnmarshalText([]byte(name)))
		require.Equal(t, name, r.String())
	}
}
