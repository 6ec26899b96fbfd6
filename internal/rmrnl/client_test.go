// SPDX-License-Identifier: Apache-2.0

package rmrnl_test

import (
	"context"
	"regexp"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/rmr-block/rmr/internal/fuzzbound"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
	"github.com/rmr-block/rmr/pkg/pool"
)

func dial(t *testing.T, state rmrnltest.State) (*rmrnl.Client, *rmrnltest.Kernel) {
	t.Helper()
	k := rmrnltest.New(state)
	c, err := k.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, k
}

// Every attribute of every object arrives as it was sent.
func TestObjectsSurviveTheWire(t *testing.T) {
	p := rmrnl.Pool{
		Name: "vol1", UUID: pool.UUID{1, 2}, Size: 1 << 50, ChunkSize: 65536, Device: "/dev/x", StoreUUID: pool.UUID{3},
		MemberID: 7, State: rmrnl.PoolStateAttached, Reason: rmrnl.ReasonUnclean, EpochSeq: 5, EpochClient: ^uint64(0),
		View: 9, UpToDate: 0x81, Syncing: 2, Clean: true, Used: true, Client: "app1", DamagedCopies: 2, Reads: 1,
		Writes: 2, Flushes: 3, Discards: 4, ReadBytes: 5, WriteBytes: 6, Errors: 7, Refused: 8, Inflight: 9, StoreSize: 10,
		Member: []rmrnl.Member{{ID: 0, Kind: 1, StoreUUID: pool.UUID{4}, Node: "a", Addr: []string{"192.0.2.1", "fe80::1%eth0"}}, {ID: 1}},
	}
	d := rmrnl.Device{Index: 3, Name: "vol1", State: rmrnl.DeviceStateSuspended, Held: 4, Inflight: 1, UpToDate: 3}
	l := rmrnl.Leg{DeviceIndex: 3, PoolName: "vol1", MemberID: 1, State: rmrnl.LegStateFailed, LatencyNS: 1 << 40, MaxIO: 1 << 17}
	c, _ := dial(t, rmrnltest.State{Pools: []rmrnl.Pool{p, p}, Devices: []rmrnl.Device{d}, Legs: []rmrnl.Leg{l}})
	ctx := context.Background()
	pools, err := c.Pools(ctx)
	require.NoError(t, err)
	require.Equal(t, []rmrnl.Pool{p, p}, pools)
	devices, err := c.Devices(ctx)
	require.NoError(t, err)
	require.Equal(t, []rmrnl.Device{d}, devices)
	legs, err := c.Legs(ctx)
	require.NoError(t, err)
	require.Equal(t, []rmrnl.Leg{l}, legs)
	one, err := c.DoPool(ctx, (&rmrnl.Request{Cmd: rmrnl.CmdPoolGet}).Add(rmrnl.PoolAttrName, "vol1"))
	require.NoError(t, err)
	require.Equal(t, p, one)
}

func TestEmptyDumpIsAnEmptyList(t *testing.T) {
	c, _ := dial(t, rmrnltest.State{})
	list, err := c.Pools(context.Background())
	require.NoError(t, err)
	require.NotNil(t, list)
	require.Empty(t, list)
}

func TestMissingModuleIsErrNoFamily(t *testing.T) {
	_, err := rmrnltest.New(rmrnltest.State{Absent: true}).Dial()
	require.ErrorIs(t, err, rmrnl.ErrNoFamily)
}

// A refusal keeps errno, text and field, and the connection stays usable after it.
func TestRefusalKeepsTheKernelsWords(t *testing.T) {
	c, k := dial(t, rmrnltest.State{Refuse: map[string]rmrnltest.Refusal{
		"pool-stop": {Errno: int(syscall.EBUSY), Text: "pool is in use", Field: "name"},
	}})
	req := (&rmrnl.Request{Cmd: rmrnl.CmdPoolStop}).Add(rmrnl.PoolAttrName, "vol1").Add(rmrnl.PoolAttrForce, true)
	for range 3 {
		err := c.Do(context.Background(), req)
		var refused *rmrnl.KernelError
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, syscall.EBUSY)
		require.Equal(t, rmrnl.KernelError{Op: "pool-stop", Errno: syscall.EBUSY, Text: "pool is in use", Field: "name"}, *refused)
		_, err = c.Pools(context.Background())
		require.NoError(t, err)
	}
	require.Equal(t, []string{"pool-stop name=vol1 force", "pool-stop name=vol1 force", "pool-stop name=vol1 force"}, k.Log())
}

// A request that breaks a limit never reaches the kernel.
func TestInvalidRequestIsNotSent(t *testing.T) {
	c, k := dial(t, rmrnltest.State{})
	err := c.Do(context.Background(), (&rmrnl.Request{Cmd: rmrnl.CmdPoolStop}).Add(rmrnl.PoolAttrName, ""))
	var field *rmrnl.FieldError
	require.ErrorAs(t, err, &field)
	require.Empty(t, k.Log())
}

// Waiting for notifications ends with the context, and the next wait works again.
func TestReceiveEndsWithItsContext(t *testing.T) {
	c, _ := dial(t, rmrnltest.State{Events: []rmrnl.Notification{{Device: &rmrnl.Device{Name: "vol1"}}}})
	require.NoError(t, c.Subscribe())
	list, err := c.Receive(context.Background())
	require.NoError(t, err)
	require.Equal(t, "vol1", list[0].Device.Name)
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, err = c.Receive(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	_, err = c.Receive(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// Hostile bytes in an answer are an error that names the object and the attribute, never a panic, and
// never more memory than the attributes stand for: the most for its bytes is an empty member of 4 bytes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{8, 0, 1, 0, 'a', 0, 0, 0})
	f.Add([]byte{5, 0, 2, 0, 1, 0, 0, 0})
	f.Add([]byte{4, 0, byte(rmrnl.PoolAttrMember), 0, 4, 0, byte(rmrnl.PoolAttrMember), 0})
	f.Add([]byte{8, 0, byte(rmrnl.PoolAttrMember), 0, 5, 0, 0, 0})
	named := regexp.MustCompile(`^decode (pool|device|leg)-ntf: (attributes|attribute \d+|[a-z][a-z0-9-]*): `)
	f.Fuzz(func(t *testing.T, data []byte) {
		bound := 32<<10 + 4*uint64(len(data)/4)*uint64(unsafe.Sizeof(rmrnl.Member{})) + 16*uint64(len(data))
		for _, cmd := range []uint8{rmrnl.CmdPoolNtf, rmrnl.CmdDeviceNtf, rmrnl.CmdLegNtf, 77} {
			var n rmrnl.Notification
			var err error
			fuzzbound.Allocates(t, bound, func() { n, err = rmrnl.DecodeNotification(cmd, data) })
			if err != nil {
				require.Regexp(t, named, err.Error())
			} else if cmd == 77 {
				require.Equal(t, rmrnl.Notification{}, n)
			}
		}
	})
}
