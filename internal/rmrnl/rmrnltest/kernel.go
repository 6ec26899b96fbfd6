// SPDX-License-Identifier: Apache-2.0

// Package rmrnltest plays the kernel's side of the netlink family rmr for tests: real netlink
// messages over a socket in memory, requests checked against the specification as the kernel's
// generated policies do, and a state that commands change.
//
// A Kernel may have several connections; its lock guards the state.
package rmrnltest

import (
	"slices"
	"sync"
	"syscall"

	"github.com/mdlayher/netlink"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// Refusal is what a command is answered with.
type Refusal struct {
	Errno int    `json:"errno"`
	Text  string `json:"text"`
	Field string `json:"field"` // attribute that the kernel points at
}

// State is what the kernel knows; its JSON is how test scripts write it.
type State struct {
	Absent      bool                 `json:"absent"`  // no family
	Refuse      map[string]Refusal   `json:"refuse"`  // by command
	Pools       []rmrnl.Pool         `json:"pools"`   // served here
	Stores      []rmrnl.Pool         `json:"stores"`  // on devices, not served
	Peers       []rmrnl.Pool         `json:"peers"`   // served elsewhere
	Devices     []rmrnl.Device       `json:"devices"` // mapped here
	Legs        []rmrnl.Leg          `json:"legs"`
	Differences []rmrnl.Difference   `json:"differences"`
	Latencies   []rmrnl.Latency      `json:"latencies"`
	Events      []rmrnl.Notification `json:"events"` // sent to the first subscriber
	After       *State               `json:"after"`  // becomes the state once all events are sent
}

// Kernel is the other end.
type Kernel struct {
	mu    sync.Mutex
	state State
	log   []string
}

// New makes a kernel with a state, which it owns from then on.
func New(state State) *Kernel { return &Kernel{state: state} }

// Dial opens a connection; the error is as of rmrnl.Dial.
func (k *Kernel) Dial() (*rmrnl.Client, error) {
	return rmrnl.New(netlink.NewConn(newSocket(k), portID))
}

// State returns the state as it is now.
func (k *Kernel) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Log lists the changing commands received, accepted or not, as their requests print.
func (k *Kernel) Log() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.log)
}

func refusal(errno syscall.Errno, text string) *Refusal {
	return &Refusal{Errno: int(errno), Text: text}
}

// run executes a command; the answer is a pointer to an object or nil.
func (k *Kernel) run(req *rmrnl.Request) (any, *Refusal) {
	if req.Cmd != rmrnl.CmdPoolGet && req.Cmd != rmrnl.CmdPoolPeek && req.Cmd != rmrnl.CmdDeviceGet {
		k.log = append(k.log, req.String())
	}
	if r, ok := k.state.Refuse[rmrnl.Ops[req.Cmd].Name]; ok {
		return nil, &r
	}
	switch req.Cmd {
	case rmrnl.CmdPoolCreate, rmrnl.CmdPoolJoin:
		return k.poolMake(req)
	case rmrnl.CmdPoolReplace:
		return k.poolReplace(req)
	case rmrnl.CmdPoolGrow:
		return nil, k.poolGrow(req)
	case rmrnl.CmdPoolAssemble:
		return k.poolAssemble(req)
	case rmrnl.CmdPoolStop:
		return nil, k.poolStop(req)
	case rmrnl.CmdPoolGet:
		i := k.poolIndex(req)
		if i < 0 {
			return nil, refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" on this node")
		}
		return &k.state.Pools[i], nil
	case rmrnl.CmdPoolPeek:
		for i, p := range k.state.Peers {
			if p.Name == str(req, rmrnl.PoolAttrName) {
				return &k.state.Peers[i], nil
			}
		}
		return nil, refusal(syscall.ENOENT, "the peer has no such pool")
	case rmrnl.CmdPoolResync:
		return nil, k.poolResync(req)
	case rmrnl.CmdPoolVerify:
		return nil, k.poolVerify(req)
	case rmrnl.CmdPoolResolve:
		i := k.poolIndex(req)
		if i < 0 {
			return nil, refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" on this node")
		}
		if value(req, rmrnl.PoolAttrMemberID) != k.state.Pools[i].MemberID {
			return nil, refusal(syscall.EINVAL, "this node has another member")
		}
		k.state.Pools[i].Discarded = true
		return nil, nil
	case rmrnl.CmdLegEject, rmrnl.CmdLegReturn:
		return nil, k.legChange(req)
	case rmrnl.CmdDeviceMap:
		return k.deviceMap(req)
	case rmrnl.CmdDeviceUnmap:
		return nil, k.deviceUnmap(req)
	case rmrnl.CmdDeviceGet:
		i := k.deviceIndex(req)
		if i < 0 {
			return nil, refusal(syscall.ENOENT, "no such device or pool is mapped here")
		}
		return &k.state.Devices[i], nil
	}
	return nil, refusal(syscall.EOPNOTSUPP, "")
}

func (k *Kernel) poolResync(req *rmrnl.Request) *Refusal {
	i := k.poolIndex(req)
	if i < 0 {
		return refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" on this node")
	}
	if limit, ok := value(req, rmrnl.PoolAttrResyncLimit).(uint64); ok {
		k.state.Pools[i].ResyncLimit = limit
	}
	if floor, ok := value(req, rmrnl.PoolAttrResyncFloor).(uint64); ok {
		k.state.Pools[i].ResyncFloor = floor
	}
	if target, ok := value(req, rmrnl.PoolAttrResyncTargetNS).(uint64); ok {
		k.state.Pools[i].ResyncTargetNS = target
	}
	if digest, ok := value(req, rmrnl.PoolAttrResyncDigest).(uint8); ok {
		k.state.Pools[i].ResyncDigest = digest
	}
	return nil
}

// poolVerify ends at once what it starts, with what the state lists as different.
func (k *Kernel) poolVerify(req *rmrnl.Request) *Refusal {
	i := k.poolIndex(req)
	if i < 0 {
		return refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" on this node")
	}
	p := &k.state.Pools[i]
	if value(req, rmrnl.PoolAttrVerifyRun) == uint8(0) {
		p.VerifyState = rmrnl.VerifyStateStopped
		return nil
	}
	p.VerifyState, p.VerifyTotal, p.VerifyDone, p.VerifyDifferences = rmrnl.VerifyStateDone, p.Size, p.Size, 0
	for _, d := range k.state.Differences {
		if d.PoolName == p.Name && d.MemberID == p.MemberID {
			p.VerifyDifferences += d.Length / pool.BlockSize
		}
	}
	return nil
}

func (k *Kernel) legChange(req *rmrnl.Request) *Refusal {
	name, id := str(req, rmrnl.LegAttrPoolName), value(req, rmrnl.LegAttrMemberID)
	for _, l := range k.state.Legs {
		if l.PoolName == name && l.MemberID == id {
			return nil
		}
	}
	return refusal(syscall.ENOENT, "no such leg is mapped here")
}

func value(req *rmrnl.Request, attr uint16) any {
	for _, f := range req.Fields {
		if f.Attr == attr {
			return f.Value
		}
	}
	return nil
}

func str(req *rmrnl.Request, attr uint16) string {
	s, _ := value(req, attr).(string)
	return s
}

func strs(req *rmrnl.Request, attr uint16) (list []string) {
	for _, f := range req.Fields {
		if f.Attr == attr {
			list = append(list, f.Value.(string))
		}
	}
	return list
}

// A made-up but stable UUID: all bytes alike.
func testUUID(b byte) (u pool.UUID) {
	for i := range u {
		u[i] = b
	}
	return u
}

func (k *Kernel) poolMake(req *rmrnl.Request) (any, *Refusal) {
	name := str(req, rmrnl.PoolAttrName)
	p := rmrnl.Pool{Name: name, UUID: testUUID(0x11), ChunkSize: pool.ChunkSizeDefault, View: 1}
	if req.Cmd == rmrnl.CmdPoolJoin {
		i := slices.IndexFunc(k.state.Peers, func(p rmrnl.Pool) bool { return p.Name == name })
		if i < 0 {
			return nil, refusal(syscall.ENOENT, str(req, rmrnl.PoolAttrPeer)+": no such pool (-2)")
		}
		p = k.state.Peers[i]
		p.MemberID = uint8(len(p.Member))
	}
	if id, ok := value(req, rmrnl.PoolAttrMemberID).(uint8); ok {
		p.MemberID = id
	}
	if value(req, rmrnl.PoolAttrWitness) != nil && p.Quorum != rmrnl.QuorumMajority {
		return nil, refusal(syscall.EOPNOTSUPP, "a witness is of no use: pool was made without --quorum")
	}
	if value(req, rmrnl.PoolAttrDryRun) != nil {
		return &p, nil
	}
	if size, ok := value(req, rmrnl.PoolAttrSize).(uint64); ok {
		p.Size = size
	}
	if chunk, ok := value(req, rmrnl.PoolAttrChunkSize).(uint32); ok {
		p.ChunkSize = chunk
	}
	if id, ok := value(req, rmrnl.PoolAttrUUID).(pool.UUID); ok {
		p.UUID = id
	}
	p.Device, p.StoreUUID, p.Clean = str(req, rmrnl.PoolAttrDevice), testUUID(0x20+p.MemberID), true
	kind := pool.MemberData
	if quorum, ok := value(req, rmrnl.PoolAttrQuorum).(uint8); ok {
		p.Quorum = rmrnl.Quorum(quorum)
	}
	if value(req, rmrnl.PoolAttrWitness) != nil {
		kind = pool.MemberWitness
	} else {
		p.UpToDate |= 1 << p.MemberID
	}
	p.Member = append(p.Member, rmrnl.Member{
		ID: p.MemberID, Kind: uint8(kind), StoreUUID: p.StoreUUID,
		Node: str(req, rmrnl.PoolAttrNode), Addr: strs(req, rmrnl.PoolAttrAddr),
	})
	k.state.Pools = append(k.state.Pools, p)
	return &p, nil
}

// poolReplace is about a member that works: the new one comes beside it.
func (k *Kernel) poolReplace(req *rmrnl.Request) (any, *Refusal) {
	i := k.poolIndex(req)
	if i < 0 {
		return nil, refusal(syscall.ENOENT, "no member of "+str(req, rmrnl.PoolAttrName)+" here: name a peer, --peer")
	}
	old := &k.state.Pools[i]
	p := *old
	p.MemberID, p.Device, p.Discarded = uint8(len(p.Member)), str(req, rmrnl.PoolAttrDevice), true
	p.StoreUUID, p.Member = testUUID(0x20+p.MemberID), slices.Clone(p.Member)
	for m := range p.Member {
		if p.Member[m].ID == value(req, rmrnl.PoolAttrLeg) {
			p.Member[m].Leaving, p.Member[m].Successor = true, p.MemberID+1
		}
	}
	old.Member = slices.Clone(p.Member)
	k.state.Pools = append(k.state.Pools, p)
	return &p, nil
}

func (k *Kernel) poolGrow(req *rmrnl.Request) *Refusal {
	i := k.poolIndex(req)
	if i < 0 {
		return refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" on this node")
	}
	k.state.Pools[i].Room += k.state.Pools[i].DeviceGrown
	k.state.Pools[i].DeviceGrown = 0
	return nil
}

func (k *Kernel) poolAssemble(req *rmrnl.Request) (any, *Refusal) {
	i := slices.IndexFunc(k.state.Stores, func(p rmrnl.Pool) bool { return p.Device == str(req, rmrnl.PoolAttrDevice) })
	if i < 0 {
		return nil, refusal(syscall.ENODATA, "device has no superblock: not a store")
	}
	p := k.state.Stores[i]
	if name := str(req, rmrnl.PoolAttrName); name != "" && name != p.Name {
		return nil, refusal(syscall.EMEDIUMTYPE, "device belongs to pool "+p.Name)
	}
	if id, ok := value(req, rmrnl.PoolAttrUUID).(pool.UUID); ok && id != p.UUID {
		return nil, refusal(syscall.EMEDIUMTYPE, "device belongs to a pool with another UUID")
	}
	k.state.Stores = slices.Delete(k.state.Stores, i, i+1)
	k.state.Pools = append(k.state.Pools, p)
	return &p, nil
}

func (k *Kernel) poolIndex(req *rmrnl.Request) int {
	return slices.IndexFunc(k.state.Pools, func(p rmrnl.Pool) bool { return p.Name == str(req, rmrnl.PoolAttrName) })
}

func (k *Kernel) poolStop(req *rmrnl.Request) *Refusal {
	i := k.poolIndex(req)
	if id, ok := value(req, rmrnl.PoolAttrUUID).(pool.UUID); i < 0 || ok && k.state.Pools[i].UUID != id {
		return refusal(syscall.ENOENT, "no pool "+str(req, rmrnl.PoolAttrName)+" with this UUID on this node")
	}
	p := k.state.Pools[i]
	if p.Client != "" && value(req, rmrnl.PoolAttrForce) == nil {
		return refusal(syscall.EBUSY, "pool is in use by client "+p.Client+": unmap it there first")
	}
	k.state.Pools = slices.Delete(k.state.Pools, i, i+1)
	if value(req, rmrnl.PoolAttrWipe) == nil {
		k.state.Stores = append(k.state.Stores, p)
	}
	return nil
}

func (k *Kernel) deviceMap(req *rmrnl.Request) (any, *Refusal) {
	name, addr := str(req, rmrnl.DeviceAttrName), str(req, rmrnl.DeviceAttrAddr)
	i := slices.IndexFunc(k.state.Peers, func(p rmrnl.Pool) bool { return p.Name == name })
	if i < 0 {
		return nil, refusal(syscall.ENOENT, addr+": no such pool there (-2)")
	}
	p := k.state.Peers[i]
	if id, ok := value(req, rmrnl.DeviceAttrUUID).(pool.UUID); ok && id != p.UUID {
		return nil, refusal(syscall.EMEDIUMTYPE, "pool "+name+" has another UUID")
	}
	if p.Client != "" && value(req, rmrnl.DeviceAttrTakeover) == nil {
		return nil, refusal(syscall.EBUSY, "member 0 ("+addr+"): in use by another client (-16)")
	}
	d := rmrnl.Device{
		Index: uint32(len(k.state.Devices)), Name: name, UUID: p.UUID, Size: p.Size, ChunkSize: p.ChunkSize,
		State: rmrnl.DeviceStateLive, UpToDate: p.UpToDate, View: p.View + 1,
	}
	k.state.Devices = append(k.state.Devices, d)
	for _, m := range p.Member {
		state := rmrnl.LegStateUpToDate
		if pool.MemberState(m.Kind) == pool.MemberWitness {
			state = rmrnl.LegStateVoting
		}
		k.state.Legs = append(k.state.Legs, rmrnl.Leg{
			DeviceIndex: d.Index, PoolName: name, MemberID: m.ID, Kind: m.Kind, StoreUUID: m.StoreUUID, Node: m.Node,
			Addr: m.Addr[0], State: state,
		})
	}
	return &d, nil
}

func (k *Kernel) deviceIndex(req *rmrnl.Request) int {
	name := str(req, rmrnl.DeviceAttrName)
	index, byIndex := value(req, rmrnl.DeviceAttrIndex).(uint32)
	return slices.IndexFunc(k.state.Devices, func(d rmrnl.Device) bool {
		return (name == "" || d.Name == name) && (!byIndex || d.Index == index)
	})
}

func (k *Kernel) deviceUnmap(req *rmrnl.Request) *Refusal {
	i := k.deviceIndex(req)
	if i < 0 {
		return refusal(syscall.ENODEV, "no such device or pool is mapped here")
	}
	d := k.state.Devices[i]
	if d.State == rmrnl.DeviceStateSuspended && value(req, rmrnl.DeviceAttrForce) == nil {
		return refusal(syscall.EBUSY, "pool is suspended: wait for its legs or use --force")
	}
	k.state.Devices = slices.Delete(k.state.Devices, i, i+1)
	k.state.Legs = slices.DeleteFunc(k.state.Legs, func(l rmrnl.Leg) bool { return l.DeviceIndex == d.Index })
	return nil
}
