// SPDX-License-Identifier: Apache-2.0
// Code generated from docs/netlink/rmr.yaml by internal/rmrnl/gen. DO NOT EDIT.

package rmrnl

import (
	"github.com/mdlayher/netlink"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Names and limits of the family.
const (
	// FamilyName is the generic netlink family.
	FamilyName = "rmr"
	// GroupNotify is a multicast group.
	GroupNotify = "notify"
	// NameMax: Longest pool, node or address name in bytes, without terminator.
	NameMax = 63
	// PathMax: Longest device path in bytes, without terminator.
	PathMax = 255
	// LatencyBuckets: Counts of a histogram of latency: number i is of what took at most 2^i microseconds and is in none before it, the last one of all that took longer.
	LatencyBuckets = 28
)

// PoolState: State of a pool on a storage node.
type PoolState uint8

// Values of PoolState.
const (
	// PoolStateIdle: Assembled, no client attached.
	PoolStateIdle PoolState = 0
	// PoolStateAttached: A client holds an epoch and is served.
	PoolStateAttached PoolState = 1
	// PoolStateFailed: The store no longer works; see reason.
	PoolStateFailed PoolState = 2
)

var namesPoolState = []string{
	"idle",
	"attached",
	"failed",
}

// String returns the name in the specification.
func (v PoolState) String() string { return enumName(namesPoolState, uint8(v)) }

// MarshalText gives the name in the specification.
func (v PoolState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *PoolState) UnmarshalText(b []byte) error {
	n, err := enumValue("pool-state", namesPoolState, b)
	*v = PoolState(n)
	return err
}

// DeviceState: State of a mapped device on a client.
type DeviceState uint8

// Values of DeviceState.
const (
	DeviceStateAttaching DeviceState = 0
	// DeviceStateLive: I/O is served.
	DeviceStateLive DeviceState = 1
	// DeviceStateSuspended: No up-to-date leg is left; I/O waits for one to return.
	DeviceStateSuspended DeviceState = 2
	DeviceStateDetaching DeviceState = 3
)

var namesDeviceState = []string{
	"attaching",
	"live",
	"suspended",
	"detaching",
}

// String returns the name in the specification.
func (v DeviceState) String() string { return enumName(namesDeviceState, uint8(v)) }

// MarshalText gives the name in the specification.
func (v DeviceState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *DeviceState) UnmarshalText(b []byte) error {
	n, err := enumValue("device-state", namesDeviceState, b)
	*v = DeviceState(n)
	return err
}

// LegState: State of a leg as the client sees it.
type LegState uint8

// Values of LegState.
const (
	LegStateConnecting LegState = 0
	// LegStateUpToDate: Connected, in the view, serves reads and gets every write.
	LegStateUpToDate LegState = 1
	// LegStateFailed: Not connected or refused; see reason.
	LegStateFailed LegState = 2
	// LegStatePromised: Connected again; chunks it may lack are being marked on the others.
	LegStatePromised LegState = 3
	// LegStateJoining: The view that takes it in is being established.
	LegStateJoining LegState = 4
	// LegStateSyncing: Gets every write and copies what it lacks from other members; not read.
	LegStateSyncing LegState = 5
	// LegStateVoting: A connected witness; it holds no data.
	LegStateVoting LegState = 6
)

var namesLegState = []string{
	"connecting",
	"up-to-date",
	"failed",
	"promised",
	"joining",
	"syncing",
	"voting",
}

// String returns the name in the specification.
func (v LegState) String() string { return enumName(namesLegState, uint8(v)) }

// MarshalText gives the name in the specification.
func (v LegState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *LegState) UnmarshalText(b []byte) error {
	n, err := enumValue("leg-state", namesLegState, b)
	*v = LegState(n)
	return err
}

// ResyncState: What a syncing member does about the chunks it lacks.
type ResyncState uint8

// Values of ResyncState.
const (
	// ResyncStateNone: Not syncing.
	ResyncStateNone ResyncState = 0
	// ResyncStateWaiting: In the syncing set; the map is not complete yet.
	ResyncStateWaiting ResyncState = 1
	ResyncStateCopying ResyncState = 2
	// ResyncStateStalled: Chunks are lacked and nothing moves; see resync-reason.
	ResyncStateStalled ResyncState = 3
	// ResyncStatePaused: Paused by a command.
	ResyncStatePaused ResyncState = 4
	// ResyncStateDone: Nothing is lacked and every other active member knows; the client promotes.
	ResyncStateDone ResyncState = 5
)

var namesResyncState = []string{
	"none",
	"waiting",
	"copying",
	"stalled",
	"paused",
	"done",
}

// String returns the name in the specification.
func (v ResyncState) String() string { return enumName(namesResyncState, uint8(v)) }

// MarshalText gives the name in the specification.
func (v ResyncState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *ResyncState) UnmarshalText(b []byte) error {
	n, err := enumValue("resync-state", namesResyncState, b)
	*v = ResyncState(n)
	return err
}

// ResyncPace: What sets the present rate of a resync.
type ResyncPace uint8

// Values of ResyncPace.
const (
	// ResyncPaceNone: Nothing is being copied.
	ResyncPaceNone ResyncPace = 0
	// ResyncPaceIdle: No application I/O here and no ceiling; as fast as the copies get.
	ResyncPaceIdle ResyncPace = 1
	// ResyncPaceRising: Application I/O stays below its target latency, the rate rises.
	ResyncPaceRising ResyncPace = 2
	// ResyncPaceLatency: Application I/O takes longer than its target, the rate falls.
	ResyncPaceLatency ResyncPace = 3
	// ResyncPaceFloor: Application I/O takes longer than its target, the rate is at its floor.
	ResyncPaceFloor ResyncPace = 4
	// ResyncPaceCeiling: At the ceiling that an operator set.
	ResyncPaceCeiling ResyncPace = 5
	// ResyncPaceSource: More is allowed than the copies reach; the depth, the sources, disks or links bound it.
	ResyncPaceSource ResyncPace = 6
	// ResyncPacePaused: Paused by a command.
	ResyncPacePaused ResyncPace = 7
	// ResyncPaceShare: Application I/O goes on, so the copies rest part of the time; its latency is within the target.
	ResyncPaceShare ResyncPace = 8
)

var namesResyncPace = []string{
	"none",
	"idle",
	"rising",
	"latency",
	"floor",
	"ceiling",
	"source",
	"paused",
	"share",
}

// String returns the name in the specification.
func (v ResyncPace) String() string { return enumName(namesResyncPace, uint8(v)) }

// MarshalText gives the name in the specification.
func (v ResyncPace) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *ResyncPace) UnmarshalText(b []byte) error {
	n, err := enumValue("resync-pace", namesResyncPace, b)
	*v = ResyncPace(n)
	return err
}

// VerifyState: What a member does about comparing its chunks with those of others.
type VerifyState uint8

// Values of VerifyState.
const (
	// VerifyStateNone: Not asked for since the node serves the pool.
	VerifyStateNone VerifyState = 0
	// VerifyStateWaiting: Not in the up-to-date set of a view told by a client, or none of the others is reached.
	VerifyStateWaiting VerifyState = 1
	VerifyStateRunning VerifyState = 2
	VerifyStateDone    VerifyState = 3
	// VerifyStateStopped: Stopped by a command before its end.
	VerifyStateStopped VerifyState = 4
)

var namesVerifyState = []string{
	"none",
	"waiting",
	"running",
	"done",
	"stopped",
}

// String returns the name in the specification.
func (v VerifyState) String() string { return enumName(namesVerifyState, uint8(v)) }

// MarshalText gives the name in the specification.
func (v VerifyState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *VerifyState) UnmarshalText(b []byte) error {
	n, err := enumValue("verify-state", namesVerifyState, b)
	*v = VerifyState(n)
	return err
}

// Reason: Why something is in its state. One list for pools, devices and legs.
type Reason uint8

// Values of Reason.
const (
	ReasonNone              Reason = 0
	ReasonAdmin             Reason = 1
	ReasonConnect           Reason = 2
	ReasonLinkLost          Reason = 3
	ReasonIOError           Reason = 4
	ReasonTimeout           Reason = 5
	ReasonFenced            Reason = 6
	ReasonRefused           Reason = 7
	ReasonVersion           Reason = 8
	ReasonIdentity          Reason = 9
	ReasonStoreError        Reason = 10
	ReasonDamagedSuperblock Reason = 11
	ReasonUnclean           Reason = 12
	ReasonNoLeg             Reason = 13
	ReasonSplitBrain        Reason = 14
	ReasonNoQuorum          Reason = 15
	// ReasonDamped: The leg failed repeatedly and waits before it returns; see damped-ms.
	ReasonDamped Reason = 16
	// ReasonLeaving: The member is being removed from the pool.
	ReasonLeaving Reason = 17
	// ReasonMaintenance: The member is kept out by command until its maintenance ends.
	ReasonMaintenance Reason = 18
	// ReasonReplaced: Another store holds the member's place; this one is none of the pool any more.
	ReasonReplaced Reason = 19
	// ReasonLimits: The queue limits of the member's store do not fit the device that is mapped.
	ReasonLimits Reason = 20
	// ReasonTooSmall: The member's store holds a smaller pool than the device has.
	ReasonTooSmall Reason = 21
	// ReasonRepair: The leg left to copy anew what a verify found wrong in it.
	ReasonRepair Reason = 22
)

var namesReason = []string{
	"none",
	"admin",
	"connect",
	"link-lost",
	"io-error",
	"timeout",
	"fenced",
	"refused",
	"version",
	"identity",
	"store-error",
	"damaged-superblock",
	"unclean",
	"no-leg",
	"split-brain",
	"no-quorum",
	"damped",
	"leaving",
	"maintenance",
	"replaced",
	"limits",
	"too-small",
	"repair",
}

// String returns the name in the specification.
func (v Reason) String() string { return enumName(namesReason, uint8(v)) }

// MarshalText gives the name in the specification.
func (v Reason) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *Reason) UnmarshalText(b []byte) error {
	n, err := enumValue("reason", namesReason, b)
	*v = Reason(n)
	return err
}

// Quorum: How many members have to agree before a view counts.
type Quorum uint8

// Values of Quorum.
const (
	// QuorumOff: All of the last up-to-date set; no majority is asked for.
	QuorumOff Quorum = 0
	// QuorumMajority: More than half of all members, witnesses included.
	QuorumMajority Quorum = 1
)

var namesQuorum = []string{
	"off",
	"majority",
}

// String returns the name in the specification.
func (v Quorum) String() string { return enumName(namesQuorum, uint8(v)) }

// MarshalText gives the name in the specification.
func (v Quorum) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *Quorum) UnmarshalText(b []byte) error {
	n, err := enumValue("quorum", namesQuorum, b)
	*v = Quorum(n)
	return err
}

// OnError: What a member does about errors of its disk.
type OnError uint8

// Values of OnError.
const (
	// OnErrorRepair: A write is tried again once, what was unreadable is written back; the member stays.
	OnErrorRepair OnError = 0
	// OnErrorDetach: As repair; after too many errors the member leaves until pool-disk lets it return.
	OnErrorDetach OnError = 1
	// OnErrorPassOn: Errors go to the client at once; nothing is tried again, written back or counted.
	OnErrorPassOn OnError = 2
)

var namesOnError = []string{
	"repair",
	"detach",
	"pass-on",
}

// String returns the name in the specification.
func (v OnError) String() string { return enumName(namesOnError, uint8(v)) }

// MarshalText gives the name in the specification.
func (v OnError) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *OnError) UnmarshalText(b []byte) error {
	n, err := enumValue("on-error", namesOnError, b)
	*v = OnError(n)
	return err
}

// LatencyOf: What a histogram of latency is about.
type LatencyOf uint8

// Values of LatencyOf.
const (
	// LatencyOfStore: Requests of clients at the store of a member on this node, until its disk has ended them.
	LatencyOfStore LatencyOf = 0
	// LatencyOfDevice: Requests to a mapped pool, from submission to their end.
	LatencyOfDevice LatencyOf = 1
	// LatencyOfLeg: Requests to a leg that it answered well, from sending to the answer.
	LatencyOfLeg LatencyOf = 2
)

var namesLatencyOf = []string{
	"store",
	"device",
	"leg",
}

// String returns the name in the specification.
func (v LatencyOf) String() string { return enumName(namesLatencyOf, uint8(v)) }

// MarshalText gives the name in the specification.
func (v LatencyOf) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *LatencyOf) UnmarshalText(b []byte) error {
	n, err := enumValue("latency-of", namesLatencyOf, b)
	*v = LatencyOf(n)
	return err
}

// LatencyOp: Operations that are counted apart.
type LatencyOp uint8

// Values of LatencyOp.
const (
	LatencyOpRead  LatencyOp = 0
	LatencyOpWrite LatencyOp = 1
	LatencyOpFlush LatencyOp = 2
	// LatencyOpDiscard: DISCARD and WRITE_ZEROES.
	LatencyOpDiscard LatencyOp = 3
)

var namesLatencyOp = []string{
	"read",
	"write",
	"flush",
	"discard",
}

// String returns the name in the specification.
func (v LatencyOp) String() string { return enumName(namesLatencyOp, uint8(v)) }

// MarshalText gives the name in the specification.
func (v LatencyOp) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText takes the name in the specification.
func (v *LatencyOp) UnmarshalText(b []byte) error {
	n, err := enumValue("latency-op", namesLatencyOp, b)
	*v = LatencyOp(n)
	return err
}

// Commands.
const (
	// CmdPoolCreate: Make a store the first member of a new pool.
	CmdPoolCreate uint8 = 1
	// CmdPoolJoin: Make a store a further member of a pool that a peer knows.
	CmdPoolJoin uint8 = 2
	// CmdPoolAssemble: Start serving the member whose superblock is on a device.
	CmdPoolAssemble uint8 = 3
	// CmdPoolStop: Stop serving a pool and, with wipe, delete this member's superblocks.
	CmdPoolStop uint8 = 4
	// CmdPoolGet: Pools assembled on this node.
	CmdPoolGet uint8 = 5
	// CmdPoolNtf: A pool on this node appeared, changed its state or went.
	CmdPoolNtf uint8 = 6
	// CmdDeviceMap: Attach a pool and make its block device.
	CmdDeviceMap uint8 = 7
	// CmdDeviceUnmap: Flush, detach and remove a block device.
	CmdDeviceUnmap uint8 = 8
	// CmdDeviceResize: Make a mapped pool larger, on every member and then the device; or smaller, with force, the device first.
	CmdDeviceResize uint8 = 9
	// CmdPoolGrow: Make room on a store for a larger pool, at the present size of its device.
	CmdPoolGrow uint8 = 10
	// CmdDeviceGet: Pools mapped on this client.
	CmdDeviceGet uint8 = 11
	// CmdDeviceNtf: A device appeared, changed its state or went.
	CmdDeviceNtf uint8 = 12
	// CmdLegGet: Legs of the pools mapped on this client.
	CmdLegGet uint8 = 13
	// CmdLegNtf: A leg changed its state.
	CmdLegNtf uint8 = 14
	// CmdPoolResync: Pause, resume, bound or tune the resync of this node's member.
	CmdPoolResync uint8 = 15
	// CmdLegEject: Take a leg out of its mapped pool until leg-return.
	CmdLegEject uint8 = 16
	// CmdLegReturn: Let a leg return that was ejected, now.
	CmdLegReturn uint8 = 17
	// CmdPoolResolve: Give up the history of this node's member, to settle a split brain.
	CmdPoolResolve uint8 = 18
	// CmdPoolPeek: What a peer tells of its member of a pool, to compare two histories.
	CmdPoolPeek uint8 = 19
	// CmdPoolReplace: Put a blank store into the place of this node's member, or beside it until that is up to date.
	CmdPoolReplace uint8 = 20
	// CmdPoolMember: Remove a member of a pool, or begin or end its maintenance; a client carries it out.
	CmdPoolMember uint8 = 21
	// CmdLegSet: Remove a member of a mapped pool, or begin or end its maintenance.
	CmdLegSet uint8 = 22
	// CmdPoolVerify: Start or stop comparing this node's member with others.
	CmdPoolVerify uint8 = 23
	// CmdDifferenceGet: What the last verify of each pool on this node found to differ; a bounded list.
	CmdDifferenceGet uint8 = 24
	// CmdPoolDisk: Set what this node's member does about errors of its disk, or let it return.
	CmdPoolDisk uint8 = 25
	// CmdLatencyGet: Histograms of latency of the stores, mapped pools and legs of this node.
	CmdLatencyGet uint8 = 26
)

// Ops describes the requests of every command, by command number.
var Ops = map[uint8]Op{
	CmdPoolCreate: {Name: "pool-create", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrSize,
		PoolAttrChunkSize,
		PoolAttrDevice,
		PoolAttrMetadataDevice,
		PoolAttrNode,
		PoolAttrAddr,
		PoolAttrZeroed,
		PoolAttrForce,
		PoolAttrQuorum,
		PoolAttrOnError,
		PoolAttrDataChecksums,
	}},
	CmdPoolJoin: {Name: "pool-join", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrDevice,
		PoolAttrMetadataDevice,
		PoolAttrMemberID,
		PoolAttrNode,
		PoolAttrAddr,
		PoolAttrPeer,
		PoolAttrPort,
		PoolAttrTransport,
		PoolAttrZeroed,
		PoolAttrForce,
		PoolAttrDryRun,
		PoolAttrWitness,
		PoolAttrReplaces,
		PoolAttrOnError,
	}},
	CmdPoolAssemble: {Name: "pool-assemble", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrDevice,
		PoolAttrMetadataDevice,
		PoolAttrStoreSize,
		PoolAttrName,
		PoolAttrUUID,
	}},
	CmdPoolStop: {Name: "pool-stop", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrWipe,
		PoolAttrForce,
		PoolAttrLeg,
	}},
	CmdPoolGet: {Name: "pool-get", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrName,
	}},
	CmdDeviceMap: {Name: "device-map", Set: SetDevice, Reply: true, Request: []uint16{
		DeviceAttrName,
		DeviceAttrUUID,
		DeviceAttrAddr,
		DeviceAttrPort,
		DeviceAttrTransport,
		DeviceAttrNode,
		DeviceAttrTakeover,
		DeviceAttrStallMs,
		DeviceAttrSuspendMs,
		DeviceAttrForce,
	}},
	CmdDeviceUnmap: {Name: "device-unmap", Set: SetDevice, Reply: false, Request: []uint16{
		DeviceAttrIndex,
		DeviceAttrName,
		DeviceAttrForce,
	}},
	CmdDeviceResize: {Name: "device-resize", Set: SetDevice, Reply: false, Request: []uint16{
		DeviceAttrName,
		DeviceAttrSize,
		DeviceAttrForce,
	}},
	CmdPoolGrow: {Name: "pool-grow", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrMemberID,
		PoolAttrSize,
		PoolAttrZeroed,
	}},
	CmdDeviceGet: {Name: "device-get", Set: SetDevice, Reply: true, Request: []uint16{
		DeviceAttrIndex,
		DeviceAttrName,
	}},
	CmdLegGet: {Name: "leg-get", Set: SetLeg, Reply: false, Request: []uint16{}},
	CmdPoolResync: {Name: "pool-resync", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrResyncPause,
		PoolAttrResyncLimit,
		PoolAttrResyncFloor,
		PoolAttrResyncTargetNS,
		PoolAttrResyncDigest,
		PoolAttrLeg,
	}},
	CmdLegEject: {Name: "leg-eject", Set: SetLeg, Reply: false, Request: []uint16{
		LegAttrPoolName,
		LegAttrMemberID,
		LegAttrForce,
	}},
	CmdLegReturn: {Name: "leg-return", Set: SetLeg, Reply: false, Request: []uint16{
		LegAttrPoolName,
		LegAttrMemberID,
	}},
	CmdPoolResolve: {Name: "pool-resolve", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrMemberID,
	}},
	CmdPoolPeek: {Name: "pool-peek", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrPeer,
		PoolAttrPort,
		PoolAttrTransport,
	}},
	CmdPoolReplace: {Name: "pool-replace", Set: SetPool, Reply: true, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrLeg,
		PoolAttrDevice,
		PoolAttrNode,
		PoolAttrAddr,
		PoolAttrPeer,
		PoolAttrPort,
		PoolAttrTransport,
		PoolAttrForce,
		PoolAttrDryRun,
	}},
	CmdPoolMember: {Name: "pool-member", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrLeg,
		PoolAttrMemberID,
		PoolAttrLeaving,
		PoolAttrMaintenance,
		PoolAttrDryRun,
	}},
	CmdLegSet: {Name: "leg-set", Set: SetLeg, Reply: false, Request: []uint16{
		LegAttrPoolName,
		LegAttrMemberID,
		LegAttrLeaving,
		LegAttrMaintenance,
	}},
	CmdPoolVerify: {Name: "pool-verify", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrLeg,
		PoolAttrVerifyRun,
		PoolAttrVerifyFrom,
		PoolAttrVerifyLegs,
		PoolAttrVerifyLimit,
	}},
	CmdDifferenceGet: {Name: "difference-get", Set: SetDifference, Reply: false, Request: []uint16{}},
	CmdPoolDisk: {Name: "pool-disk", Set: SetPool, Reply: false, Request: []uint16{
		PoolAttrName,
		PoolAttrUUID,
		PoolAttrMemberID,
		PoolAttrOnError,
		PoolAttrDiskReturn,
	}},
	CmdLatencyGet: {Name: "latency-get", Set: SetLatency, Reply: false, Request: []uint16{}},
}

// Attributes of member: One slot of the member table.
const (
	MemberAttrID          uint16 = 1
	MemberAttrKind        uint16 = 2
	MemberAttrStoreUUID   uint16 = 3
	MemberAttrNode        uint16 = 4
	MemberAttrAddr        uint16 = 5
	MemberAttrCopied      uint16 = 6
	MemberAttrPad         uint16 = 7
	MemberAttrGeneration  uint16 = 8
	MemberAttrLeaving     uint16 = 9
	MemberAttrMaintenance uint16 = 10
	MemberAttrSuccessor   uint16 = 11
)

// SetMember describes the attributes of member.
var SetMember = AttrSet{
	MemberAttrID:          {Name: "id", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 7},
	MemberAttrKind:        {Name: "kind", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	MemberAttrStoreUUID:   {Name: "store-uuid", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	MemberAttrNode:        {Name: "node", Type: "string", Multi: false, MinLen: 0, MaxLen: 63, ExactLen: 0, Max: 0},
	MemberAttrAddr:        {Name: "addr", Type: "string", Multi: true, MinLen: 0, MaxLen: 63, ExactLen: 0, Max: 0},
	MemberAttrCopied:      {Name: "copied", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	MemberAttrGeneration:  {Name: "generation", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	MemberAttrLeaving:     {Name: "leaving", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	MemberAttrMaintenance: {Name: "maintenance", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	MemberAttrSuccessor:   {Name: "successor", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Member: One slot of the member table.
type Member struct {
	ID uint8 `json:"id"`
	// 1 data, 2 witness.
	Kind      uint8     `json:"kind"`
	StoreUUID pool.UUID `json:"store_uuid"`
	Node      string    `json:"node"`
	// Address where clients and peers find the member.
	Addr []string `json:"addr"`
	// Bytes that this node's member copied from it since it joined the view.
	Copied uint64 `json:"copied"`
	// Stores that the slot has seen, times 65536, and wishes about the present one.
	Generation uint64 `json:"generation"`
	// The member is being removed.
	Leaving bool `json:"leaving"`
	// The member is kept out until its maintenance ends.
	Maintenance bool `json:"maintenance"`
	// Id + 1 of the member that takes its place once it is up to date; absent for none.
	Successor uint8 `json:"successor"`
}

func (v *Member) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case MemberAttrID:
			v.ID = ad.Uint8()
		case MemberAttrKind:
			v.Kind = ad.Uint8()
		case MemberAttrStoreUUID:
			ad.Do(copyUUID(&v.StoreUUID))
		case MemberAttrNode:
			v.Node = ad.String()
		case MemberAttrAddr:
			v.Addr = append(v.Addr, ad.String())
		case MemberAttrCopied:
			v.Copied = ad.Uint64()
		case MemberAttrGeneration:
			v.Generation = ad.Uint64()
		case MemberAttrLeaving:
			v.Leaving = ad.Flag()
		case MemberAttrMaintenance:
			v.Maintenance = ad.Flag()
		case MemberAttrSuccessor:
			v.Successor = ad.Uint8()
		}
	}
	return named(ad, SetMember)
}

// Attributes of pool: A pool on a storage node.
const (
	PoolAttrName                uint16 = 1
	PoolAttrUUID                uint16 = 2
	PoolAttrSize                uint16 = 3
	PoolAttrChunkSize           uint16 = 4
	PoolAttrDevice              uint16 = 5
	PoolAttrStoreUUID           uint16 = 6
	PoolAttrMemberID            uint16 = 7
	PoolAttrNode                uint16 = 8
	PoolAttrAddr                uint16 = 9
	PoolAttrPeer                uint16 = 10
	PoolAttrPort                uint16 = 11
	PoolAttrTransport           uint16 = 12
	PoolAttrZeroed              uint16 = 13
	PoolAttrForce               uint16 = 14
	PoolAttrState               uint16 = 15
	PoolAttrReason              uint16 = 16
	PoolAttrMember              uint16 = 17
	PoolAttrEpochSeq            uint16 = 18
	PoolAttrEpochClient         uint16 = 19
	PoolAttrView                uint16 = 20
	PoolAttrUpToDate            uint16 = 21
	PoolAttrSyncing             uint16 = 22
	PoolAttrClean               uint16 = 23
	PoolAttrUsed                uint16 = 24
	PoolAttrClient              uint16 = 25
	PoolAttrDamagedCopies       uint16 = 26
	PoolAttrReads               uint16 = 27
	PoolAttrWrites              uint16 = 28
	PoolAttrFlushes             uint16 = 29
	PoolAttrDiscards            uint16 = 30
	PoolAttrReadBytes           uint16 = 31
	PoolAttrWriteBytes          uint16 = 32
	PoolAttrErrors              uint16 = 33
	PoolAttrRefused             uint16 = 34
	PoolAttrInflight            uint16 = 35
	PoolAttrStoreSize           uint16 = 36
	PoolAttrWipe                uint16 = 37
	PoolAttrPad                 uint16 = 38
	PoolAttrStale               uint16 = 39
	PoolAttrMissed              uint16 = 40
	PoolAttrIntents             uint16 = 41
	PoolAttrResyncState         uint16 = 42
	PoolAttrResyncReason        uint16 = 43
	PoolAttrResyncLeft          uint16 = 44
	PoolAttrResyncTotal         uint16 = 45
	PoolAttrResyncCopied        uint16 = 46
	PoolAttrResyncRate          uint16 = 47
	PoolAttrResyncAllowed       uint16 = 48
	PoolAttrResyncLimit         uint16 = 49
	PoolAttrResyncEtaMs         uint16 = 50
	PoolAttrResyncFailures      uint16 = 51
	PoolAttrResyncPause         uint16 = 52
	PoolAttrDryRun              uint16 = 53
	PoolAttrQuorum              uint16 = 54
	PoolAttrWitness             uint16 = 55
	PoolAttrResyncPace          uint16 = 56
	PoolAttrResyncFloor         uint16 = 57
	PoolAttrResyncTargetNS      uint16 = 58
	PoolAttrResyncLatencyNS     uint16 = 59
	PoolAttrResyncDigest        uint16 = 60
	PoolAttrResyncEqual         uint16 = 61
	PoolAttrLineage             uint16 = 62
	PoolAttrDiscarded           uint16 = 63
	PoolAttrOthersLack          uint16 = 64
	PoolAttrLeg                 uint16 = 65
	PoolAttrReplaces            uint16 = 66
	PoolAttrLeaving             uint16 = 67
	PoolAttrMaintenance         uint16 = 68
	PoolAttrVerifyState         uint16 = 69
	PoolAttrVerifyRun           uint16 = 70
	PoolAttrVerifyFrom          uint16 = 71
	PoolAttrVerifyLegs          uint16 = 72
	PoolAttrVerifySkipped       uint16 = 73
	PoolAttrVerifyDone          uint16 = 74
	PoolAttrVerifyTotal         uint16 = 75
	PoolAttrVerifyRate          uint16 = 76
	PoolAttrVerifyLimit         uint16 = 77
	PoolAttrVerifyEtaMs         uint16 = 78
	PoolAttrVerifyDifferences   uint16 = 79
	PoolAttrVerifyBusy          uint16 = 80
	PoolAttrVerifyFailures      uint16 = 81
	PoolAttrVerifyRepaired      uint16 = 82
	PoolAttrVerified            uint16 = 83
	PoolAttrVerifiedDifferences uint16 = 84
	PoolAttrMetadataDevice      uint16 = 85
	PoolAttrRoom                uint16 = 86
	PoolAttrOnError             uint16 = 87
	PoolAttrLeft                uint16 = 88
	PoolAttrDiskReturn          uint16 = 89
	PoolAttrDiskErrors          uint16 = 90
	PoolAttrReadErrors          uint16 = 91
	PoolAttrWriteErrors         uint16 = 92
	PoolAttrWriteRetries        uint16 = 93
	PoolAttrHungMs              uint16 = 94
	PoolAttrDataChecksums       uint16 = 95
	PoolAttrBadData             uint16 = 96
	PoolAttrDeviceGrown         uint16 = 97
)

// SetPool describes the attributes of pool.
var SetPool = AttrSet{
	PoolAttrName:                {Name: "name", Type: "string", Multi: false, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	PoolAttrUUID:                {Name: "uuid", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	PoolAttrSize:                {Name: "size", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrChunkSize:           {Name: "chunk-size", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDevice:              {Name: "device", Type: "string", Multi: false, MinLen: 1, MaxLen: 255, ExactLen: 0, Max: 0},
	PoolAttrStoreUUID:           {Name: "store-uuid", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	PoolAttrMemberID:            {Name: "member-id", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 7},
	PoolAttrNode:                {Name: "node", Type: "string", Multi: false, MinLen: 0, MaxLen: 63, ExactLen: 0, Max: 0},
	PoolAttrAddr:                {Name: "addr", Type: "string", Multi: true, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	PoolAttrPeer:                {Name: "peer", Type: "string", Multi: true, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	PoolAttrPort:                {Name: "port", Type: "u16", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrTransport:           {Name: "transport", Type: "string", Multi: false, MinLen: 0, MaxLen: 15, ExactLen: 0, Max: 0},
	PoolAttrZeroed:              {Name: "zeroed", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrForce:               {Name: "force", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrState:               {Name: "state", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrReason:              {Name: "reason", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrMember:              {Name: "member", Type: "nest", Multi: true, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrEpochSeq:            {Name: "epoch-seq", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrEpochClient:         {Name: "epoch-client", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrView:                {Name: "view", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrUpToDate:            {Name: "up-to-date", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrSyncing:             {Name: "syncing", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrClean:               {Name: "clean", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrUsed:                {Name: "used", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrClient:              {Name: "client", Type: "string", Multi: false, MinLen: 0, MaxLen: 63, ExactLen: 0, Max: 0},
	PoolAttrDamagedCopies:       {Name: "damaged-copies", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrReads:               {Name: "reads", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrWrites:              {Name: "writes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrFlushes:             {Name: "flushes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDiscards:            {Name: "discards", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrReadBytes:           {Name: "read-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrWriteBytes:          {Name: "write-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrErrors:              {Name: "errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrRefused:             {Name: "refused", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrInflight:            {Name: "inflight", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrStoreSize:           {Name: "store-size", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrWipe:                {Name: "wipe", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrStale:               {Name: "stale", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrMissed:              {Name: "missed", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrIntents:             {Name: "intents", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncState:         {Name: "resync-state", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncReason:        {Name: "resync-reason", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncLeft:          {Name: "resync-left", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncTotal:         {Name: "resync-total", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncCopied:        {Name: "resync-copied", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncRate:          {Name: "resync-rate", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncAllowed:       {Name: "resync-allowed", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncLimit:         {Name: "resync-limit", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncEtaMs:         {Name: "resync-eta-ms", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncFailures:      {Name: "resync-failures", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncPause:         {Name: "resync-pause", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	PoolAttrDryRun:              {Name: "dry-run", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrQuorum:              {Name: "quorum", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	PoolAttrWitness:             {Name: "witness", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncPace:          {Name: "resync-pace", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncFloor:         {Name: "resync-floor", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncTargetNS:      {Name: "resync-target-ns", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 10000000000},
	PoolAttrResyncLatencyNS:     {Name: "resync-latency-ns", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrResyncDigest:        {Name: "resync-digest", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	PoolAttrResyncEqual:         {Name: "resync-equal", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrLineage:             {Name: "lineage", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	PoolAttrDiscarded:           {Name: "discarded", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrOthersLack:          {Name: "others-lack", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrLeg:                 {Name: "leg", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 7},
	PoolAttrReplaces:            {Name: "replaces", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 7},
	PoolAttrLeaving:             {Name: "leaving", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrMaintenance:         {Name: "maintenance", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	PoolAttrVerifyState:         {Name: "verify-state", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyRun:           {Name: "verify-run", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	PoolAttrVerifyFrom:          {Name: "verify-from", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 8},
	PoolAttrVerifyLegs:          {Name: "verify-legs", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifySkipped:       {Name: "verify-skipped", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyDone:          {Name: "verify-done", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyTotal:         {Name: "verify-total", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyRate:          {Name: "verify-rate", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyLimit:         {Name: "verify-limit", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyEtaMs:         {Name: "verify-eta-ms", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyDifferences:   {Name: "verify-differences", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyBusy:          {Name: "verify-busy", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyFailures:      {Name: "verify-failures", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifyRepaired:      {Name: "verify-repaired", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerified:            {Name: "verified", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrVerifiedDifferences: {Name: "verified-differences", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrMetadataDevice:      {Name: "metadata-device", Type: "string", Multi: false, MinLen: 1, MaxLen: 255, ExactLen: 0, Max: 0},
	PoolAttrRoom:                {Name: "room", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrOnError:             {Name: "on-error", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 2},
	PoolAttrLeft:                {Name: "left", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDiskReturn:          {Name: "disk-return", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDiskErrors:          {Name: "disk-errors", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrReadErrors:          {Name: "read-errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrWriteErrors:         {Name: "write-errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrWriteRetries:        {Name: "write-retries", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrHungMs:              {Name: "hung-ms", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDataChecksums:       {Name: "data-checksums", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrBadData:             {Name: "bad-data", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	PoolAttrDeviceGrown:         {Name: "device-grown", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Pool: A pool on a storage node.
type Pool struct {
	Name string    `json:"name"`
	UUID pool.UUID `json:"uuid"`
	// Bytes of the volume.
	Size uint64 `json:"size"`
	// Bytes, power of two from 64 KiB to 16 MiB.
	ChunkSize uint32 `json:"chunk_size"`
	// Path of the store's block device.
	Device    string    `json:"device"`
	StoreUUID pool.UUID `json:"store_uuid"`
	// This node's place in the pool.
	MemberID uint8 `json:"member_id"`
	// Host name of this node, kept in the member table.
	Node string `json:"node"`
	// Addresses of this node for clients and peers.
	Addr []string `json:"addr"`
	// Address of a member that knows the pool (join).
	Peer []string `json:"peer"`
	// RDMA CM port of the storage nodes; default 7420.
	Port uint16 `json:"port"`
	// rtrs (default) or loop.
	Transport string `json:"transport"`
	// The caller vouches that the data area reads as zeros.
	Zeroed bool `json:"zeroed"`
	// Overwrite a superblock that is already there.
	Force       bool      `json:"force"`
	State       PoolState `json:"state"`
	Reason      Reason    `json:"reason"`
	Member      []Member  `json:"member"`
	EpochSeq    uint64    `json:"epoch_seq"`
	EpochClient uint64    `json:"epoch_client"`
	// Number of the highest view known.
	View uint64 `json:"view"`
	// Mask of members in the view's up-to-date set.
	UpToDate Mask `json:"up_to_date"`
	// Mask of members in the view's syncing set.
	Syncing Mask `json:"syncing"`
	// Last client detached cleanly.
	Clean bool `json:"clean"`
	// A client has attached the pool at least once.
	Used bool `json:"used"`
	// Host name of the attached client.
	Client string `json:"client"`
	// Mask of superblock copies found damaged at assembly.
	DamagedCopies Mask `json:"damaged_copies"`
	// Requests served since assembly.
	Reads   uint64 `json:"reads"`
	Writes  uint64 `json:"writes"`
	Flushes uint64 `json:"flushes"`
	// DISCARD and WRITE_ZEROES.
	Discards   uint64 `json:"discards"`
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
	// Requests answered with an error.
	Errors uint64 `json:"errors"`
	// Messages refused by a check or by the fence.
	Refused  uint64 `json:"refused"`
	Inflight uint32 `json:"inflight"`
	// Usable bytes of the store, metadata included.
	StoreSize uint64 `json:"store_size"`
	// Delete the superblocks too.
	Wipe bool `json:"wipe"`
	// Reads refused because the chunk is lacked here.
	Stale uint64 `json:"stale"`
	// Writes that could not be applied here.
	Missed uint64 `json:"missed"`
	// Chunks with a write intent.
	Intents      uint64      `json:"intents"`
	ResyncState  ResyncState `json:"resync_state"`
	ResyncReason Reason      `json:"resync_reason"`
	// Chunks lacked, once the map is complete.
	ResyncLeft uint64 `json:"resync_left"`
	// Chunks lacked when the map was complete.
	ResyncTotal uint64 `json:"resync_total"`
	// Bytes copied since the member joined.
	ResyncCopied uint64 `json:"resync_copied"`
	// Bytes per second, over the last second.
	ResyncRate uint64 `json:"resync_rate"`
	// Bytes per second that the controller allows now; 0 for no bound.
	ResyncAllowed uint64 `json:"resync_allowed"`
	// Bytes per second that an operator allows; 0 for no bound.
	ResyncLimit uint64 `json:"resync_limit"`
	// Milliseconds left at the present rate; absent if unknown.
	ResyncEtaMs uint64 `json:"resync_eta_ms"`
	// Copies that failed and are tried again.
	ResyncFailures uint64 `json:"resync_failures"`
	// 1 pauses resync, 0 lets it go on.
	ResyncPause uint8 `json:"resync_pause"`
	// Check everything that a join checks before it writes, and change nothing.
	DryRun bool   `json:"dry_run"`
	Quorum Quorum `json:"quorum"`
	// The member votes and holds no data (join).
	Witness    bool       `json:"witness"`
	ResyncPace ResyncPace `json:"resync_pace"`
	// Bytes per second that resync gets however long application I/O takes; less than the limit.
	ResyncFloor uint64 `json:"resync_floor"`
	// Latency of application I/O that resync keeps to, from 100 us to 10 s.
	ResyncTargetNS uint64 `json:"resync_target_ns"`
	// Latency of application I/O that the rate was last set by; 0 without application I/O.
	ResyncLatencyNS uint64 `json:"resync_latency_ns"`
	// 1 compares digests with the source and copies only blocks that differ, 0 copies all.
	ResyncDigest uint8 `json:"resync_digest"`
	// Bytes that were equal to the source's by their digests, since the member joined.
	ResyncEqual uint64 `json:"resync_equal"`
	// History that the member belongs to; members of different ones are a split brain.
	Lineage pool.UUID `json:"lineage"`
	// The member's history was given up; it joins anew and lacks everything.
	Discarded bool `json:"discarded"`
	// Chunks that a data member outside the view lacks, of several the most; written to since it was lost.
	OthersLack uint64 `json:"others_lack"`
	// Member of this node that a command is about, where there are several of the pool.
	Leg uint8 `json:"leg"`
	// Member whose place the new one takes once it is up to date (join).
	Replaces uint8 `json:"replaces"`
	// Remove the member.
	Leaving bool `json:"leaving"`
	// 1 keeps the member out of the pool, 0 lets it return.
	Maintenance uint8       `json:"maintenance"`
	VerifyState VerifyState `json:"verify_state"`
	// 1 starts a verify, 0 stops it.
	VerifyRun uint8 `json:"verify_run"`
	// Member whose copy counts where this node's differs, which is then repaired; 8 for the copy that more than half of the members have. Without it nothing is repaired.
	VerifyFrom uint8 `json:"verify_from"`
	// Mask of members to compare with; all others with data if absent.
	VerifyLegs Mask `json:"verify_legs"`
	// Mask of those that some chunk was not compared with, as they were not up to date.
	VerifySkipped Mask `json:"verify_skipped"`
	// Bytes compared.
	VerifyDone uint64 `json:"verify_done"`
	// Bytes to compare.
	VerifyTotal uint64 `json:"verify_total"`
	// Bytes per second, over the last second.
	VerifyRate uint64 `json:"verify_rate"`
	// Bytes per second that an operator allows; 0 for no bound.
	VerifyLimit uint64 `json:"verify_limit"`
	// Milliseconds left at the present rate; absent if unknown.
	VerifyEtaMs uint64 `json:"verify_eta_ms"`
	// Blocks of 4 KiB that differ.
	VerifyDifferences uint64 `json:"verify_differences"`
	// Chunks that were not compared in the end, because they were written or not readable.
	VerifyBusy uint64 `json:"verify_busy"`
	// Reads that failed.
	VerifyFailures uint64 `json:"verify_failures"`
	// Chunks that are copied anew, as the own copy was the wrong one.
	VerifyRepaired uint64 `json:"verify_repaired"`
	// End of the last complete verify by this member, seconds since 1970; 0 for never.
	Verified uint64 `json:"verified"`
	// Blocks that differed in it.
	VerifiedDifferences uint64 `json:"verified_differences"`
	// Path of the device with the store's metadata, if that is not the one with its data.
	MetadataDevice string `json:"metadata_device"`
	// Bytes up to which this member lets the pool grow; 0 if it was not prepared.
	Room    uint64  `json:"room"`
	OnError OnError `json:"on_error"`
	// The member left by its policy after too many errors of its disk; it serves nobody.
	Left bool `json:"left"`
	// Let a member return that left; its errors are forgotten.
	DiskReturn bool `json:"disk_return"`
	// Places of the disk that failed lately; at 8 the policy detach lets the member leave.
	DiskErrors uint32 `json:"disk_errors"`
	// Reads of clients that the disk failed.
	ReadErrors uint64 `json:"read_errors"`
	// Writes of clients that the disk failed, at the first try.
	WriteErrors uint64 `json:"write_errors"`
	// Of them, those that the second try applied.
	WriteRetries uint64 `json:"write_retries"`
	// How long the disk has not answered a request that is past its deadline; absent if none is.
	HungMs uint32 `json:"hung_ms"`
	// Data of writes and of resync carries a checksum.
	DataChecksums bool `json:"data_checksums"`
	// Messages whose data did not match its checksum; it was not stored.
	BadData uint64 `json:"bad_data"`
	// Bytes that the device of the data has behind the store; pool-grow makes use of them.
	DeviceGrown uint64 `json:"device_grown"`
}

func (v *Pool) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case PoolAttrName:
			v.Name = ad.String()
		case PoolAttrUUID:
			ad.Do(copyUUID(&v.UUID))
		case PoolAttrSize:
			v.Size = ad.Uint64()
		case PoolAttrChunkSize:
			v.ChunkSize = ad.Uint32()
		case PoolAttrDevice:
			v.Device = ad.String()
		case PoolAttrStoreUUID:
			ad.Do(copyUUID(&v.StoreUUID))
		case PoolAttrMemberID:
			v.MemberID = ad.Uint8()
		case PoolAttrNode:
			v.Node = ad.String()
		case PoolAttrAddr:
			v.Addr = append(v.Addr, ad.String())
		case PoolAttrPeer:
			v.Peer = append(v.Peer, ad.String())
		case PoolAttrPort:
			v.Port = ad.Uint16()
		case PoolAttrTransport:
			v.Transport = ad.String()
		case PoolAttrZeroed:
			v.Zeroed = ad.Flag()
		case PoolAttrForce:
			v.Force = ad.Flag()
		case PoolAttrState:
			v.State = PoolState(ad.Uint8())
		case PoolAttrReason:
			v.Reason = Reason(ad.Uint8())
		case PoolAttrMember:
			var n Member
			ad.Nested(n.decode)
			v.Member = append(v.Member, n)
		case PoolAttrEpochSeq:
			v.EpochSeq = ad.Uint64()
		case PoolAttrEpochClient:
			v.EpochClient = ad.Uint64()
		case PoolAttrView:
			v.View = ad.Uint64()
		case PoolAttrUpToDate:
			v.UpToDate = Mask(ad.Uint8())
		case PoolAttrSyncing:
			v.Syncing = Mask(ad.Uint8())
		case PoolAttrClean:
			v.Clean = ad.Flag()
		case PoolAttrUsed:
			v.Used = ad.Flag()
		case PoolAttrClient:
			v.Client = ad.String()
		case PoolAttrDamagedCopies:
			v.DamagedCopies = Mask(ad.Uint8())
		case PoolAttrReads:
			v.Reads = ad.Uint64()
		case PoolAttrWrites:
			v.Writes = ad.Uint64()
		case PoolAttrFlushes:
			v.Flushes = ad.Uint64()
		case PoolAttrDiscards:
			v.Discards = ad.Uint64()
		case PoolAttrReadBytes:
			v.ReadBytes = ad.Uint64()
		case PoolAttrWriteBytes:
			v.WriteBytes = ad.Uint64()
		case PoolAttrErrors:
			v.Errors = ad.Uint64()
		case PoolAttrRefused:
			v.Refused = ad.Uint64()
		case PoolAttrInflight:
			v.Inflight = ad.Uint32()
		case PoolAttrStoreSize:
			v.StoreSize = ad.Uint64()
		case PoolAttrWipe:
			v.Wipe = ad.Flag()
		case PoolAttrStale:
			v.Stale = ad.Uint64()
		case PoolAttrMissed:
			v.Missed = ad.Uint64()
		case PoolAttrIntents:
			v.Intents = ad.Uint64()
		case PoolAttrResyncState:
			v.ResyncState = ResyncState(ad.Uint8())
		case PoolAttrResyncReason:
			v.ResyncReason = Reason(ad.Uint8())
		case PoolAttrResyncLeft:
			v.ResyncLeft = ad.Uint64()
		case PoolAttrResyncTotal:
			v.ResyncTotal = ad.Uint64()
		case PoolAttrResyncCopied:
			v.ResyncCopied = ad.Uint64()
		case PoolAttrResyncRate:
			v.ResyncRate = ad.Uint64()
		case PoolAttrResyncAllowed:
			v.ResyncAllowed = ad.Uint64()
		case PoolAttrResyncLimit:
			v.ResyncLimit = ad.Uint64()
		case PoolAttrResyncEtaMs:
			v.ResyncEtaMs = ad.Uint64()
		case PoolAttrResyncFailures:
			v.ResyncFailures = ad.Uint64()
		case PoolAttrResyncPause:
			v.ResyncPause = ad.Uint8()
		case PoolAttrDryRun:
			v.DryRun = ad.Flag()
		case PoolAttrQuorum:
			v.Quorum = Quorum(ad.Uint8())
		case PoolAttrWitness:
			v.Witness = ad.Flag()
		case PoolAttrResyncPace:
			v.ResyncPace = ResyncPace(ad.Uint8())
		case PoolAttrResyncFloor:
			v.ResyncFloor = ad.Uint64()
		case PoolAttrResyncTargetNS:
			v.ResyncTargetNS = ad.Uint64()
		case PoolAttrResyncLatencyNS:
			v.ResyncLatencyNS = ad.Uint64()
		case PoolAttrResyncDigest:
			v.ResyncDigest = ad.Uint8()
		case PoolAttrResyncEqual:
			v.ResyncEqual = ad.Uint64()
		case PoolAttrLineage:
			ad.Do(copyUUID(&v.Lineage))
		case PoolAttrDiscarded:
			v.Discarded = ad.Flag()
		case PoolAttrOthersLack:
			v.OthersLack = ad.Uint64()
		case PoolAttrLeg:
			v.Leg = ad.Uint8()
		case PoolAttrReplaces:
			v.Replaces = ad.Uint8()
		case PoolAttrLeaving:
			v.Leaving = ad.Flag()
		case PoolAttrMaintenance:
			v.Maintenance = ad.Uint8()
		case PoolAttrVerifyState:
			v.VerifyState = VerifyState(ad.Uint8())
		case PoolAttrVerifyRun:
			v.VerifyRun = ad.Uint8()
		case PoolAttrVerifyFrom:
			v.VerifyFrom = ad.Uint8()
		case PoolAttrVerifyLegs:
			v.VerifyLegs = Mask(ad.Uint8())
		case PoolAttrVerifySkipped:
			v.VerifySkipped = Mask(ad.Uint8())
		case PoolAttrVerifyDone:
			v.VerifyDone = ad.Uint64()
		case PoolAttrVerifyTotal:
			v.VerifyTotal = ad.Uint64()
		case PoolAttrVerifyRate:
			v.VerifyRate = ad.Uint64()
		case PoolAttrVerifyLimit:
			v.VerifyLimit = ad.Uint64()
		case PoolAttrVerifyEtaMs:
			v.VerifyEtaMs = ad.Uint64()
		case PoolAttrVerifyDifferences:
			v.VerifyDifferences = ad.Uint64()
		case PoolAttrVerifyBusy:
			v.VerifyBusy = ad.Uint64()
		case PoolAttrVerifyFailures:
			v.VerifyFailures = ad.Uint64()
		case PoolAttrVerifyRepaired:
			v.VerifyRepaired = ad.Uint64()
		case PoolAttrVerified:
			v.Verified = ad.Uint64()
		case PoolAttrVerifiedDifferences:
			v.VerifiedDifferences = ad.Uint64()
		case PoolAttrMetadataDevice:
			v.MetadataDevice = ad.String()
		case PoolAttrRoom:
			v.Room = ad.Uint64()
		case PoolAttrOnError:
			v.OnError = OnError(ad.Uint8())
		case PoolAttrLeft:
			v.Left = ad.Flag()
		case PoolAttrDiskReturn:
			v.DiskReturn = ad.Flag()
		case PoolAttrDiskErrors:
			v.DiskErrors = ad.Uint32()
		case PoolAttrReadErrors:
			v.ReadErrors = ad.Uint64()
		case PoolAttrWriteErrors:
			v.WriteErrors = ad.Uint64()
		case PoolAttrWriteRetries:
			v.WriteRetries = ad.Uint64()
		case PoolAttrHungMs:
			v.HungMs = ad.Uint32()
		case PoolAttrDataChecksums:
			v.DataChecksums = ad.Flag()
		case PoolAttrBadData:
			v.BadData = ad.Uint64()
		case PoolAttrDeviceGrown:
			v.DeviceGrown = ad.Uint64()
		}
	}
	return named(ad, SetPool)
}

// Attributes of device: A pool mapped on a client.
const (
	DeviceAttrIndex       uint16 = 1
	DeviceAttrName        uint16 = 2
	DeviceAttrUUID        uint16 = 3
	DeviceAttrAddr        uint16 = 4
	DeviceAttrPort        uint16 = 5
	DeviceAttrTransport   uint16 = 6
	DeviceAttrNode        uint16 = 7
	DeviceAttrTakeover    uint16 = 8
	DeviceAttrForce       uint16 = 9
	DeviceAttrState       uint16 = 10
	DeviceAttrReason      uint16 = 11
	DeviceAttrSize        uint16 = 12
	DeviceAttrChunkSize   uint16 = 13
	DeviceAttrEpochSeq    uint16 = 14
	DeviceAttrEpochClient uint16 = 15
	DeviceAttrView        uint16 = 16
	DeviceAttrUpToDate    uint16 = 17
	DeviceAttrSyncing     uint16 = 18
	DeviceAttrReads       uint16 = 19
	DeviceAttrWrites      uint16 = 20
	DeviceAttrFlushes     uint16 = 21
	DeviceAttrDiscards    uint16 = 22
	DeviceAttrReadBytes   uint16 = 23
	DeviceAttrWriteBytes  uint16 = 24
	DeviceAttrErrors      uint16 = 25
	DeviceAttrHeld        uint16 = 26
	DeviceAttrInflight    uint16 = 27
	DeviceAttrPad         uint16 = 28
	DeviceAttrStallMs     uint16 = 29
	DeviceAttrSuspendMs   uint16 = 30
)

// SetDevice describes the attributes of device.
var SetDevice = AttrSet{
	DeviceAttrIndex:       {Name: "index", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrName:        {Name: "name", Type: "string", Multi: false, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	DeviceAttrUUID:        {Name: "uuid", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	DeviceAttrAddr:        {Name: "addr", Type: "string", Multi: true, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	DeviceAttrPort:        {Name: "port", Type: "u16", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrTransport:   {Name: "transport", Type: "string", Multi: false, MinLen: 0, MaxLen: 15, ExactLen: 0, Max: 0},
	DeviceAttrNode:        {Name: "node", Type: "string", Multi: false, MinLen: 0, MaxLen: 63, ExactLen: 0, Max: 0},
	DeviceAttrTakeover:    {Name: "takeover", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrForce:       {Name: "force", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrState:       {Name: "state", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrReason:      {Name: "reason", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrSize:        {Name: "size", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrChunkSize:   {Name: "chunk-size", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrEpochSeq:    {Name: "epoch-seq", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrEpochClient: {Name: "epoch-client", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrView:        {Name: "view", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrUpToDate:    {Name: "up-to-date", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrSyncing:     {Name: "syncing", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrReads:       {Name: "reads", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrWrites:      {Name: "writes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrFlushes:     {Name: "flushes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrDiscards:    {Name: "discards", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrReadBytes:   {Name: "read-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrWriteBytes:  {Name: "write-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrErrors:      {Name: "errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrHeld:        {Name: "held", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrInflight:    {Name: "inflight", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DeviceAttrStallMs:     {Name: "stall-ms", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 60000},
	DeviceAttrSuspendMs:   {Name: "suspend-ms", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Device: A pool mapped on a client.
type Device struct {
	// N of /dev/brmrN.
	Index uint32 `json:"index"`
	// Pool name.
	Name string `json:"name"`
	// Pool UUID; with map, the one expected.
	UUID pool.UUID `json:"uuid"`
	// Addresses of storage nodes to ask for the pool.
	Addr      []string `json:"addr"`
	Port      uint16   `json:"port"`
	Transport string   `json:"transport"`
	// Host name of this client, told to the members.
	Node string `json:"node"`
	// Attach although another client is connected.
	Takeover bool `json:"takeover"`
	// Unmap although the device is open or I/O waits; waiting I/O fails. Map without the members that are missing; that begins a new lineage.
	Force       bool        `json:"force"`
	State       DeviceState `json:"state"`
	Reason      Reason      `json:"reason"`
	Size        uint64      `json:"size"`
	ChunkSize   uint32      `json:"chunk_size"`
	EpochSeq    uint64      `json:"epoch_seq"`
	EpochClient uint64      `json:"epoch_client"`
	View        uint64      `json:"view"`
	UpToDate    Mask        `json:"up_to_date"`
	Syncing     Mask        `json:"syncing"`
	Reads       uint64      `json:"reads"`
	Writes      uint64      `json:"writes"`
	Flushes     uint64      `json:"flushes"`
	Discards    uint64      `json:"discards"`
	ReadBytes   uint64      `json:"read_bytes"`
	WriteBytes  uint64      `json:"write_bytes"`
	Errors      uint64      `json:"errors"`
	// Requests that waited for an overlapping one.
	Held     uint64 `json:"held"`
	Inflight uint32 `json:"inflight"`
	// A leg that does not answer for so long is ejected; default 5000.
	StallMs uint32 `json:"stall_ms"`
	// How long I/O waits when no up-to-date leg is left, before it fails; 0 is at once, 4294967295 for ever; default 600000.
	SuspendMs uint32 `json:"suspend_ms"`
}

func (v *Device) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case DeviceAttrIndex:
			v.Index = ad.Uint32()
		case DeviceAttrName:
			v.Name = ad.String()
		case DeviceAttrUUID:
			ad.Do(copyUUID(&v.UUID))
		case DeviceAttrAddr:
			v.Addr = append(v.Addr, ad.String())
		case DeviceAttrPort:
			v.Port = ad.Uint16()
		case DeviceAttrTransport:
			v.Transport = ad.String()
		case DeviceAttrNode:
			v.Node = ad.String()
		case DeviceAttrTakeover:
			v.Takeover = ad.Flag()
		case DeviceAttrForce:
			v.Force = ad.Flag()
		case DeviceAttrState:
			v.State = DeviceState(ad.Uint8())
		case DeviceAttrReason:
			v.Reason = Reason(ad.Uint8())
		case DeviceAttrSize:
			v.Size = ad.Uint64()
		case DeviceAttrChunkSize:
			v.ChunkSize = ad.Uint32()
		case DeviceAttrEpochSeq:
			v.EpochSeq = ad.Uint64()
		case DeviceAttrEpochClient:
			v.EpochClient = ad.Uint64()
		case DeviceAttrView:
			v.View = ad.Uint64()
		case DeviceAttrUpToDate:
			v.UpToDate = Mask(ad.Uint8())
		case DeviceAttrSyncing:
			v.Syncing = Mask(ad.Uint8())
		case DeviceAttrReads:
			v.Reads = ad.Uint64()
		case DeviceAttrWrites:
			v.Writes = ad.Uint64()
		case DeviceAttrFlushes:
			v.Flushes = ad.Uint64()
		case DeviceAttrDiscards:
			v.Discards = ad.Uint64()
		case DeviceAttrReadBytes:
			v.ReadBytes = ad.Uint64()
		case DeviceAttrWriteBytes:
			v.WriteBytes = ad.Uint64()
		case DeviceAttrErrors:
			v.Errors = ad.Uint64()
		case DeviceAttrHeld:
			v.Held = ad.Uint64()
		case DeviceAttrInflight:
			v.Inflight = ad.Uint32()
		case DeviceAttrStallMs:
			v.StallMs = ad.Uint32()
		case DeviceAttrSuspendMs:
			v.SuspendMs = ad.Uint32()
		}
	}
	return named(ad, SetDevice)
}

// Attributes of leg: A client's view of one member of a mapped pool.
const (
	LegAttrDeviceIndex        uint16 = 1
	LegAttrPoolName           uint16 = 2
	LegAttrMemberID           uint16 = 3
	LegAttrStoreUUID          uint16 = 4
	LegAttrNode               uint16 = 5
	LegAttrAddr               uint16 = 6
	LegAttrState              uint16 = 7
	LegAttrReason             uint16 = 8
	LegAttrReads              uint16 = 9
	LegAttrWrites             uint16 = 10
	LegAttrReadBytes          uint16 = 11
	LegAttrWriteBytes         uint16 = 12
	LegAttrErrors             uint16 = 13
	LegAttrInflight           uint16 = 14
	LegAttrLatencyNS          uint16 = 15
	LegAttrMaxIO              uint16 = 16
	LegAttrPad                uint16 = 17
	LegAttrLacking            uint16 = 18
	LegAttrAgeMs              uint16 = 19
	LegAttrEjections          uint16 = 20
	LegAttrReturns            uint16 = 21
	LegAttrForce              uint16 = 22
	LegAttrKind               uint16 = 23
	LegAttrDampedMs           uint16 = 24
	LegAttrCause              uint16 = 25
	LegAttrLeaving            uint16 = 26
	LegAttrMaintenance        uint16 = 27
	LegAttrSuccessor          uint16 = 28
	LegAttrReadErrors         uint16 = 29
	LegAttrReadRepairs        uint16 = 30
	LegAttrReadRepairFailures uint16 = 31
	LegAttrBadData            uint16 = 32
)

// SetLeg describes the attributes of leg.
var SetLeg = AttrSet{
	LegAttrDeviceIndex:        {Name: "device-index", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrPoolName:           {Name: "pool-name", Type: "string", Multi: false, MinLen: 1, MaxLen: 63, ExactLen: 0, Max: 0},
	LegAttrMemberID:           {Name: "member-id", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 7},
	LegAttrStoreUUID:          {Name: "store-uuid", Type: "binary", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 16, Max: 0},
	LegAttrNode:               {Name: "node", Type: "string", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrAddr:               {Name: "addr", Type: "string", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrState:              {Name: "state", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReason:             {Name: "reason", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReads:              {Name: "reads", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrWrites:             {Name: "writes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReadBytes:          {Name: "read-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrWriteBytes:         {Name: "write-bytes", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrErrors:             {Name: "errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrInflight:           {Name: "inflight", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrLatencyNS:          {Name: "latency-ns", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrMaxIO:              {Name: "max-io", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrLacking:            {Name: "lacking", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrAgeMs:              {Name: "age-ms", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrEjections:          {Name: "ejections", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReturns:            {Name: "returns", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrForce:              {Name: "force", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrKind:               {Name: "kind", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrDampedMs:           {Name: "damped-ms", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrCause:              {Name: "cause", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrLeaving:            {Name: "leaving", Type: "flag", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrMaintenance:        {Name: "maintenance", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 1},
	LegAttrSuccessor:          {Name: "successor", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReadErrors:         {Name: "read-errors", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReadRepairs:        {Name: "read-repairs", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrReadRepairFailures: {Name: "read-repair-failures", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LegAttrBadData:            {Name: "bad-data", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Leg: A client's view of one member of a mapped pool.
type Leg struct {
	DeviceIndex uint32    `json:"device_index"`
	PoolName    string    `json:"pool_name"`
	MemberID    uint8     `json:"member_id"`
	StoreUUID   pool.UUID `json:"store_uuid"`
	Node        string    `json:"node"`
	Addr        string    `json:"addr"`
	State       LegState  `json:"state"`
	Reason      Reason    `json:"reason"`
	Reads       uint64    `json:"reads"`
	Writes      uint64    `json:"writes"`
	ReadBytes   uint64    `json:"read_bytes"`
	WriteBytes  uint64    `json:"write_bytes"`
	Errors      uint64    `json:"errors"`
	Inflight    uint32    `json:"inflight"`
	// Moving average of the time from sending a request to its answer.
	LatencyNS uint64 `json:"latency_ns"`
	// Bytes of the largest request the leg's session takes.
	MaxIO uint32 `json:"max_io"`
	// Chunks the member still has to copy, as it said last.
	Lacking uint64 `json:"lacking"`
	// Time in the present state.
	AgeMs uint64 `json:"age_ms"`
	// Times the leg was taken out of the view.
	Ejections uint32 `json:"ejections"`
	// Times the leg came back into the view.
	Returns uint32 `json:"returns"`
	// Eject even the last up-to-date leg; I/O then waits.
	Force bool `json:"force"`
	// 1 data, 2 witness; with leg-ntf also 0, the member is none any more.
	Kind uint8 `json:"kind"`
	// Milliseconds that a leg still waits because it failed repeatedly; absent if it does not.
	DampedMs uint32 `json:"damped_ms"`
	// Why the leg last left the up-to-date set.
	Cause Reason `json:"cause"`
	// The member is being removed.
	Leaving bool `json:"leaving"`
	// 1, the member is kept out until its maintenance ends; 0 lets it return.
	Maintenance uint8 `json:"maintenance"`
	// Id + 1 of the member that takes its place once it is up to date; absent for none.
	Successor uint8 `json:"successor"`
	// Reads that the leg's disk failed; another leg was asked.
	ReadErrors uint64 `json:"read_errors"`
	// Ranges that were unreadable there and were written back.
	ReadRepairs uint64 `json:"read_repairs"`
	// Ranges that could not be written back, or too many came at once.
	ReadRepairFailures uint64 `json:"read_repair_failures"`
	// Writes that the leg refused because the data did not match its checksum; sent again.
	BadData uint64 `json:"bad_data"`
}

func (v *Leg) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case LegAttrDeviceIndex:
			v.DeviceIndex = ad.Uint32()
		case LegAttrPoolName:
			v.PoolName = ad.String()
		case LegAttrMemberID:
			v.MemberID = ad.Uint8()
		case LegAttrStoreUUID:
			ad.Do(copyUUID(&v.StoreUUID))
		case LegAttrNode:
			v.Node = ad.String()
		case LegAttrAddr:
			v.Addr = ad.String()
		case LegAttrState:
			v.State = LegState(ad.Uint8())
		case LegAttrReason:
			v.Reason = Reason(ad.Uint8())
		case LegAttrReads:
			v.Reads = ad.Uint64()
		case LegAttrWrites:
			v.Writes = ad.Uint64()
		case LegAttrReadBytes:
			v.ReadBytes = ad.Uint64()
		case LegAttrWriteBytes:
			v.WriteBytes = ad.Uint64()
		case LegAttrErrors:
			v.Errors = ad.Uint64()
		case LegAttrInflight:
			v.Inflight = ad.Uint32()
		case LegAttrLatencyNS:
			v.LatencyNS = ad.Uint64()
		case LegAttrMaxIO:
			v.MaxIO = ad.Uint32()
		case LegAttrLacking:
			v.Lacking = ad.Uint64()
		case LegAttrAgeMs:
			v.AgeMs = ad.Uint64()
		case LegAttrEjections:
			v.Ejections = ad.Uint32()
		case LegAttrReturns:
			v.Returns = ad.Uint32()
		case LegAttrForce:
			v.Force = ad.Flag()
		case LegAttrKind:
			v.Kind = ad.Uint8()
		case LegAttrDampedMs:
			v.DampedMs = ad.Uint32()
		case LegAttrCause:
			v.Cause = Reason(ad.Uint8())
		case LegAttrLeaving:
			v.Leaving = ad.Flag()
		case LegAttrMaintenance:
			v.Maintenance = ad.Uint8()
		case LegAttrSuccessor:
			v.Successor = ad.Uint8()
		case LegAttrReadErrors:
			v.ReadErrors = ad.Uint64()
		case LegAttrReadRepairs:
			v.ReadRepairs = ad.Uint64()
		case LegAttrReadRepairFailures:
			v.ReadRepairFailures = ad.Uint64()
		case LegAttrBadData:
			v.BadData = ad.Uint64()
		}
	}
	return named(ad, SetLeg)
}

// Attributes of difference: A range of a member on this node that differs from others, as the last verify found it.
const (
	DifferenceAttrPoolName uint16 = 1
	DifferenceAttrMemberID uint16 = 2
	DifferenceAttrMembers  uint16 = 3
	DifferenceAttrOffset   uint16 = 4
	DifferenceAttrLength   uint16 = 5
	DifferenceAttrPad      uint16 = 6
)

// SetDifference describes the attributes of difference.
var SetDifference = AttrSet{
	DifferenceAttrPoolName: {Name: "pool-name", Type: "string", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DifferenceAttrMemberID: {Name: "member-id", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DifferenceAttrMembers:  {Name: "members", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DifferenceAttrOffset:   {Name: "offset", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	DifferenceAttrLength:   {Name: "length", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Difference: A range of a member on this node that differs from others, as the last verify found it.
type Difference struct {
	PoolName string `json:"pool_name"`
	// This node's place in the pool.
	MemberID uint8 `json:"member_id"`
	// Mask of members whose bytes are others.
	Members Mask `json:"members"`
	// Bytes, as length.
	Offset uint64 `json:"offset"`
	Length uint64 `json:"length"`
}

func (v *Difference) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case DifferenceAttrPoolName:
			v.PoolName = ad.String()
		case DifferenceAttrMemberID:
			v.MemberID = ad.Uint8()
		case DifferenceAttrMembers:
			v.Members = Mask(ad.Uint8())
		case DifferenceAttrOffset:
			v.Offset = ad.Uint64()
		case DifferenceAttrLength:
			v.Length = ad.Uint64()
		}
	}
	return named(ad, SetDifference)
}

// Attributes of latency: A histogram of the latency of one operation, since the pool was assembled or mapped.
const (
	LatencyAttrOf          uint16 = 1
	LatencyAttrPoolName    uint16 = 2
	LatencyAttrDeviceIndex uint16 = 3
	LatencyAttrMemberID    uint16 = 4
	LatencyAttrOp          uint16 = 5
	LatencyAttrSumNS       uint16 = 6
	LatencyAttrMaxNS       uint16 = 7
	LatencyAttrBucket      uint16 = 8
	LatencyAttrPad         uint16 = 9
)

// SetLatency describes the attributes of latency.
var SetLatency = AttrSet{
	LatencyAttrOf:          {Name: "of", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrPoolName:    {Name: "pool-name", Type: "string", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrDeviceIndex: {Name: "device-index", Type: "u32", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrMemberID:    {Name: "member-id", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrOp:          {Name: "op", Type: "u8", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrSumNS:       {Name: "sum-ns", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrMaxNS:       {Name: "max-ns", Type: "u64", Multi: false, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
	LatencyAttrBucket:      {Name: "bucket", Type: "u64", Multi: true, MinLen: 0, MaxLen: 0, ExactLen: 0, Max: 0},
}

// Latency: A histogram of the latency of one operation, since the pool was assembled or mapped.
type Latency struct {
	Of       LatencyOf `json:"of"`
	PoolName string    `json:"pool_name"`
	// N of /dev/brmrN; not of a store.
	DeviceIndex uint32 `json:"device_index"`
	// Of a store or leg.
	MemberID uint8     `json:"member_id"`
	Op       LatencyOp `json:"op"`
	SumNS    uint64    `json:"sum_ns"`
	MaxNS    uint64    `json:"max_ns"`
	// Counts in order; see latency-buckets.
	Bucket []uint64 `json:"bucket"`
}

func (v *Latency) decode(ad *netlink.AttributeDecoder) error {
	for ad.Next() {
		switch ad.Type() {
		case LatencyAttrOf:
			v.Of = LatencyOf(ad.Uint8())
		case LatencyAttrPoolName:
			v.PoolName = ad.String()
		case LatencyAttrDeviceIndex:
			v.DeviceIndex = ad.Uint32()
		case LatencyAttrMemberID:
			v.MemberID = ad.Uint8()
		case LatencyAttrOp:
			v.Op = LatencyOp(ad.Uint8())
		case LatencyAttrSumNS:
			v.SumNS = ad.Uint64()
		case LatencyAttrMaxNS:
			v.MaxNS = ad.Uint64()
		case LatencyAttrBucket:
			v.Bucket = append(v.Bucket, ad.Uint64())
		}
	}
	return named(ad, SetLatency)
}
