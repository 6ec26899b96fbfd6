// SPDX-License-Identifier: Apache-2.0

// What the read verbs show: stable JSON, documented in the user guide. Bytes and seconds are
// integers; names ending in _ns are nanoseconds.

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type epochView struct {
	Seq    uint64 `json:"seq"`
	Client string `json:"client"` // 16 hex digits: too large for a JSON number
}

func viewEpoch(seq, client uint64) epochView {
	return epochView{seq, fmt.Sprintf("%016x", client)}
}

type counters struct {
	Reads      uint64 `json:"reads"`
	Writes     uint64 `json:"writes"`
	Flushes    uint64 `json:"flushes"`
	Discards   uint64 `json:"discards"`
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
	Errors     uint64 `json:"errors"`
	Inflight   uint32 `json:"inflight"`
}

type memberView struct {
	ID        uint8     `json:"id"`
	Kind      string    `json:"kind"`
	StoreUUID pool.UUID `json:"store_uuid"`
	Node      string    `json:"node"`
	Addr      []string  `json:"addr"`
	Copied    uint64    `json:"copied"` // bytes that this node's member copied from it
	wishView
}

// wishView is what an operator wants of a member.
type wishView struct {
	Leaving     bool `json:"leaving"`
	Maintenance bool `json:"maintenance"`
	Successor   *int `json:"successor"` // member that takes its place; null for none
}

// viewWish takes the successor as id + 1, or 0.
func viewWish(leaving, maintenance bool, successor uint8) wishView {
	w := wishView{Leaving: leaving, Maintenance: maintenance}
	if successor > 0 {
		id := int(successor) - 1
		w.Successor = &id
	}
	return w
}

// words says it in a list of members, or nothing.
func (w wishView) words() string {
	switch {
	case w.Successor != nil:
		return fmt.Sprintf("(replaced by %d)", *w.Successor)
	case w.Leaving:
		return "(leaving)"
	case w.Maintenance:
		return "(maintenance)"
	}
	return ""
}

type poolView struct {
	Name          string          `json:"name"`
	UUID          pool.UUID       `json:"uuid"`
	Size          uint64          `json:"size"`
	ChunkSize     uint32          `json:"chunk_size"`
	State         rmrnl.PoolState `json:"state"`
	Reason        rmrnl.Reason    `json:"reason"`
	Degraded      bool            `json:"degraded"`
	MemberID      uint8           `json:"member_id"`
	Device        string          `json:"device"`
	MDDevice      string          `json:"metadata_device"` // "" if it is device
	Room          uint64          `json:"room"`            // bytes up to which the pool may grow here, 0: not prepared
	StoreUUID     pool.UUID       `json:"store_uuid"`
	StoreSize     uint64          `json:"store_size"`
	DeviceGrown   uint64          `json:"device_grown"` // bytes of the device that the store does not use
	DamagedCopies rmrnl.Mask      `json:"damaged_copies"`
	Client        string          `json:"client"`
	Clean         bool            `json:"clean"`
	Used          bool            `json:"used"`
	Epoch         epochView       `json:"epoch"`
	View          uint64          `json:"view"`
	UpToDate      rmrnl.Mask      `json:"up_to_date"`
	Syncing       rmrnl.Mask      `json:"syncing"`
	Quorum        rmrnl.Quorum    `json:"quorum"`
	Kind          string          `json:"kind"` // of this member: data or witness
	Lineage       pool.UUID       `json:"lineage"`
	Discarded     bool            `json:"discarded"`
	OthersLack    uint64          `json:"others_lack"` // chunks
	Members       []memberView    `json:"members"`
	Refused       uint64          `json:"refused"`
	Stale         uint64          `json:"stale"`
	Missed        uint64          `json:"missed"`
	Intents       uint64          `json:"intents"`
	Disk          diskHealth      `json:"disk"`
	DataChecksums bool            `json:"data_checksums"`
	BadData       uint64          `json:"bad_data"` // messages
	Resync        resyncView      `json:"resync"`
	Verify        verifyView      `json:"verify"`
	Counters      counters        `json:"counters"`
	Latency       latencyView     `json:"latency"` // of the disk, from a request of a client sent to it to its end
}

// diskHealth is what a member says about errors of its disk.
type diskHealth struct {
	OnError      rmrnl.OnError `json:"on_error"`
	Left         bool          `json:"left"`          // by its policy
	FailedPlaces uint32        `json:"failed_places"` // of 64 KiB, lately
	ReadErrors   uint64        `json:"read_errors"`
	WriteErrors  uint64        `json:"write_errors"`
	WriteRetries uint64        `json:"write_retries"` // write errors that a second try cured
	HungMS       uint32        `json:"hung_ms"`       // 0: the disk answers
}

// resyncView is what a member says about its resync; chunks in left and total, else bytes and seconds.
type resyncView struct {
	State    rmrnl.ResyncState `json:"state"`
	Reason   rmrnl.Reason      `json:"reason"`
	Left     uint64            `json:"left"`
	Total    uint64            `json:"total"`
	Copied   uint64            `json:"copied"`
	Rate     uint64            `json:"rate"`
	Allowed  uint64            `json:"allowed"`
	Limit    uint64            `json:"limit"`
	ETA      uint64            `json:"eta_seconds"`
	Failures uint64            `json:"failures"`
	Pace     rmrnl.ResyncPace  `json:"pace"`
	Floor    uint64            `json:"floor"`
	Target   uint64            `json:"target_ns"`
	Latency  uint64            `json:"latency_ns"`
	Digest   bool              `json:"digest"`
	Equal    uint64            `json:"equal"`
}

func viewResync(p rmrnl.Pool) resyncView {
	return resyncView{
		State: p.ResyncState, Reason: p.ResyncReason, Left: p.ResyncLeft, Total: p.ResyncTotal, Copied: p.ResyncCopied,
		Rate: p.ResyncRate, Allowed: p.ResyncAllowed, Limit: p.ResyncLimit, ETA: (p.ResyncEtaMs + 999) / 1000,
		Failures: p.ResyncFailures, Pace: p.ResyncPace, Floor: p.ResyncFloor, Target: p.ResyncTargetNS,
		Latency: p.ResyncLatencyNS, Digest: p.ResyncDigest != 0, Equal: p.ResyncEqual,
	}
}

func viewPool(p rmrnl.Pool, all []rmrnl.Latency, now time.Time) poolView {
	v := poolView{
		Name: p.Name, UUID: p.UUID, Size: p.Size, ChunkSize: p.ChunkSize, State: p.State, Reason: p.Reason,
		MemberID: p.MemberID, Device: p.Device, MDDevice: p.MetadataDevice, Room: p.Room, StoreUUID: p.StoreUUID, StoreSize: p.StoreSize, DeviceGrown: p.DeviceGrown,
		DamagedCopies: p.DamagedCopies, Client: p.Client, Clean: p.Clean, Used: p.Used,
		Epoch: viewEpoch(p.EpochSeq, p.EpochClient), View: p.View, UpToDate: p.UpToDate, Syncing: p.Syncing,
		Quorum: p.Quorum, Lineage: p.Lineage, Discarded: p.Discarded, OthersLack: p.OthersLack, Members: []memberView{}, Refused: p.Refused, Stale: p.Stale, Missed: p.Missed, Intents: p.Intents,
		Verify: viewVerify(p, now), Latency: storeLatency(all, p),
		Resync: viewResync(p), DataChecksums: p.DataChecksums, BadData: p.BadData,
		Disk: diskHealth{p.OnError, p.Left, p.DiskErrors, p.ReadErrors, p.WriteErrors, p.WriteRetries, p.HungMs},
		Counters: counters{
			p.Reads, p.Writes, p.Flushes, p.Discards, p.ReadBytes, p.WriteBytes, p.Errors, p.Inflight,
		},
	}
	v.Degraded = p.State == rmrnl.PoolStateFailed || p.DamagedCopies != 0 || p.Discarded || p.HungMs != 0
	for _, m := range p.Member {
		kind := pool.MemberState(m.Kind)
		if kind == pool.MemberData && !p.UpToDate.Has(m.ID) {
			v.Degraded = true
		}
		if m.ID == p.MemberID {
			v.Kind = kind.String()
		}
		v.Members = append(v.Members, memberView{
			m.ID, kind.String(), m.StoreUUID, m.Node, notNil(m.Addr), m.Copied, viewWish(m.Leaving, m.Maintenance, m.Successor),
		})
	}
	return v
}

var poolColumns = append([]column[poolView]{
	{"name", true, false, func(p poolView) string { return p.Name }},
	{"state", true, false, func(p poolView) string { return p.State.String() }},
	{"reason", false, false, func(p poolView) string { return p.Reason.String() }},
	{"degraded", true, false, func(p poolView) string { return yesNo(p.Degraded) }},
	{"size", true, true, func(p poolView) string { return size(p.Size) }},
	{"chunk-size", false, true, func(p poolView) string { return size(uint64(p.ChunkSize)) }},
	{"member", true, true, func(p poolView) string { return num(uint64(p.MemberID)) }},
	{"device", true, false, func(p poolView) string { return p.Device }},
	{"kind", false, false, func(p poolView) string { return p.Kind }},
	{"quorum", false, false, func(p poolView) string { return p.Quorum.String() }},
	{"lineage", false, false, func(p poolView) string { return p.Lineage.String() }},
	{"discarded", false, false, func(p poolView) string { return yesNo(p.Discarded) }},
	{"members", true, false, func(p poolView) string { return memberNodes(p.Members) }},
	{"up-to-date", true, false, func(p poolView) string { return p.UpToDate.String() }},
	{"syncing", false, false, func(p poolView) string { return p.Syncing.String() }},
	{"client", true, false, func(p poolView) string { return p.Client }},
	{"clean", false, false, func(p poolView) string { return yesNo(p.Clean) }},
	{"used", false, false, func(p poolView) string { return yesNo(p.Used) }},
	{"view", false, true, func(p poolView) string { return num(p.View) }},
	{"epoch", false, false, func(p poolView) string { return fmt.Sprintf("%d:%s", p.Epoch.Seq, p.Epoch.Client) }},
	{"damaged", false, false, func(p poolView) string { return p.DamagedCopies.String() }},
	{"reads", false, true, func(p poolView) string { return num(p.Counters.Reads) }},
	{"writes", false, true, func(p poolView) string { return num(p.Counters.Writes) }},
	{"flushes", false, true, func(p poolView) string { return num(p.Counters.Flushes) }},
	{"discards", false, true, func(p poolView) string { return num(p.Counters.Discards) }},
	{"read-bytes", false, true, func(p poolView) string { return size(p.Counters.ReadBytes) }},
	{"write-bytes", false, true, func(p poolView) string { return size(p.Counters.WriteBytes) }},
	{"errors", false, true, func(p poolView) string { return num(p.Counters.Errors) }},
	{"refused", false, true, func(p poolView) string { return num(p.Refused) }},
	{"inflight", false, true, func(p poolView) string { return num(uint64(p.Counters.Inflight)) }},
	{"store-size", false, true, func(p poolView) string { return size(p.StoreSize) }},
	{"device-grown", false, true, func(p poolView) string { return size(p.DeviceGrown) }},
	{"stale", false, true, func(p poolView) string { return num(p.Stale) }},
	{"missed", false, true, func(p poolView) string { return num(p.Missed) }},
	{"intents", false, true, func(p poolView) string { return num(p.Intents) }},
	{"on-error", false, false, func(p poolView) string { return p.Disk.OnError.String() }},
	{"left", false, false, func(p poolView) string { return yesNo(p.Disk.Left) }},
	{"failed-places", false, true, func(p poolView) string { return num(uint64(p.Disk.FailedPlaces)) }},
	{"read-errors", false, true, func(p poolView) string { return num(p.Disk.ReadErrors) }},
	{"write-errors", false, true, func(p poolView) string { return num(p.Disk.WriteErrors) }},
	{"write-retries", false, true, func(p poolView) string { return num(p.Disk.WriteRetries) }},
	{"hung", false, true, func(p poolView) string { return fmt.Sprintf("%dms", p.Disk.HungMS) }},
	{"data-checksums", false, false, func(p poolView) string { return onOff(p.DataChecksums) }},
	{"bad-data", false, true, func(p poolView) string { return num(p.BadData) }},
	{"resync", false, false, func(p poolView) string { return p.Resync.State.String() }},
	{"resync-left", false, true, func(p poolView) string { return num(p.Resync.Left) }},
	{"resync-rate", false, true, func(p poolView) string { return size(p.Resync.Rate) }},
	{"resync-eta", false, true, func(p poolView) string { return num(p.Resync.ETA) }},
	{"verify", false, false, func(p poolView) string { return p.Verify.State.String() }},
	{"verify-age", false, true, func(p poolView) string { return p.Verify.age() }},
	{"differences", false, true, func(p poolView) string { return num(p.Verify.Before) }},
	{"uuid", false, false, func(p poolView) string { return p.UUID.String() }},
	{"store-uuid", false, false, func(p poolView) string { return p.StoreUUID.String() }},
}, latencyColumns(func(p poolView) latencyView { return p.Latency })...)

type deviceView struct {
	Name      string            `json:"name"`
	Device    string            `json:"device"`
	Index     uint32            `json:"index"`
	UUID      pool.UUID         `json:"uuid"`
	Size      uint64            `json:"size"`
	ChunkSize uint32            `json:"chunk_size"`
	State     rmrnl.DeviceState `json:"state"`
	Reason    rmrnl.Reason      `json:"reason"`
	Degraded  bool              `json:"degraded"`
	Epoch     epochView         `json:"epoch"`
	View      uint64            `json:"view"`
	UpToDate  rmrnl.Mask        `json:"up_to_date"`
	Syncing   rmrnl.Mask        `json:"syncing"`
	Legs      []legView         `json:"legs"`
	Held      uint64            `json:"held"`
	Counters  counters          `json:"counters"`
	Latency   latencyView       `json:"latency"`
}

func devicePath(index uint32) string { return fmt.Sprintf("/dev/brmr%d", index) }

func viewDevice(d rmrnl.Device, legs []rmrnl.Leg, all []rmrnl.Latency) deviceView {
	v := deviceView{
		Name: d.Name, Device: devicePath(d.Index), Index: d.Index, UUID: d.UUID, Size: d.Size,
		ChunkSize: d.ChunkSize, State: d.State, Reason: d.Reason,
		Epoch: viewEpoch(d.EpochSeq, d.EpochClient), View: d.View, UpToDate: d.UpToDate, Syncing: d.Syncing,
		Legs: []legView{}, Held: d.Held, Latency: deviceLatency(all, d),
		Counters: counters{
			d.Reads, d.Writes, d.Flushes, d.Discards, d.ReadBytes, d.WriteBytes, d.Errors, d.Inflight,
		},
	}
	v.Degraded = d.State != rmrnl.DeviceStateLive
	for _, l := range legs {
		if l.DeviceIndex == d.Index {
			leg := viewLeg(l, all)
			v.Degraded = v.Degraded || leg.degraded()
			v.Legs = append(v.Legs, leg)
		}
	}
	return v
}

var deviceColumns = append([]column[deviceView]{
	{"name", true, false, func(d deviceView) string { return d.Name }},
	{"device", true, false, func(d deviceView) string { return d.Device }},
	{"state", true, false, func(d deviceView) string { return d.State.String() }},
	{"reason", false, false, func(d deviceView) string { return d.Reason.String() }},
	{"degraded", true, false, func(d deviceView) string { return yesNo(d.Degraded) }},
	{"size", true, true, func(d deviceView) string { return size(d.Size) }},
	{"chunk-size", false, true, func(d deviceView) string { return size(uint64(d.ChunkSize)) }},
	{"legs", true, false, func(d deviceView) string { return legNodes(d.Legs) }},
	{"up-to-date", false, false, func(d deviceView) string { return d.UpToDate.String() }},
	{"syncing", false, false, func(d deviceView) string { return d.Syncing.String() }},
	{"view", false, true, func(d deviceView) string { return num(d.View) }},
	{"epoch", false, false, func(d deviceView) string { return fmt.Sprintf("%d:%s", d.Epoch.Seq, d.Epoch.Client) }},
	{"reads", false, true, func(d deviceView) string { return num(d.Counters.Reads) }},
	{"writes", false, true, func(d deviceView) string { return num(d.Counters.Writes) }},
	{"flushes", false, true, func(d deviceView) string { return num(d.Counters.Flushes) }},
	{"discards", false, true, func(d deviceView) string { return num(d.Counters.Discards) }},
	{"read-bytes", false, true, func(d deviceView) string { return size(d.Counters.ReadBytes) }},
	{"write-bytes", false, true, func(d deviceView) string { return size(d.Counters.WriteBytes) }},
	{"errors", false, true, func(d deviceView) string { return num(d.Counters.Errors) }},
	{"held", false, true, func(d deviceView) string { return num(d.Held) }},
	{"inflight", false, true, func(d deviceView) string { return num(uint64(d.Counters.Inflight)) }},
	{"uuid", false, false, func(d deviceView) string { return d.UUID.String() }},
}, latencyColumns(func(d deviceView) latencyView { return d.Latency })...)

type legView struct {
	Pool      string         `json:"pool"`
	Index     uint32         `json:"device_index"`
	MemberID  uint8          `json:"member_id"`
	StoreUUID pool.UUID      `json:"store_uuid"`
	Node      string         `json:"node"`
	Addr      string         `json:"addr"`
	Kind      string         `json:"kind"` // data or witness
	State     rmrnl.LegState `json:"state"`
	Reason    rmrnl.Reason   `json:"reason"`
	LatencyNS uint64         `json:"latency_ns"`
	MaxIO     uint32         `json:"max_io"`
	Lacking   uint64         `json:"lacking_chunks"`
	AgeMS     uint64         `json:"age_ms"`
	Ejections uint32         `json:"ejections"`
	Returns   uint32         `json:"returns"`
	DampedMS  uint32         `json:"damped_ms"`
	Cause     rmrnl.Reason   `json:"cause"`
	wishView
	Counters legCounters `json:"counters"`
	Latency  latencyView `json:"latency"` // of requests that it answered well
}

type legCounters struct {
	Reads      uint64 `json:"reads"`
	Writes     uint64 `json:"writes"`
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
	Errors     uint64 `json:"errors"`
	Inflight   uint32 `json:"inflight"`
	ReadErrors uint64 `json:"read_errors"` // that its disk failed
	Repairs    uint64 `json:"read_repairs"`
	Unrepaired uint64 `json:"read_repair_failures"`
	BadData    uint64 `json:"bad_data"` // writes it refused by their checksum
}

// why is the reason of the state; a leg that has to wait says how long.
func (l legView) why() string {
	if l.DampedMS == 0 {
		return l.Reason.String()
	}
	return fmt.Sprintf("%s(%ds)", l.Reason, (l.DampedMS+999)/1000)
}

func (l legView) degraded() bool {
	return l.State != rmrnl.LegStateUpToDate && l.State != rmrnl.LegStateVoting
}

func viewLeg(l rmrnl.Leg, all []rmrnl.Latency) legView {
	return legView{
		Pool: l.PoolName, Index: l.DeviceIndex, MemberID: l.MemberID, StoreUUID: l.StoreUUID, Node: l.Node,
		Addr: l.Addr, Kind: pool.MemberState(l.Kind).String(), State: l.State, Reason: l.Reason, LatencyNS: l.LatencyNS, MaxIO: l.MaxIO,
		Lacking: l.Lacking, AgeMS: l.AgeMs, Ejections: l.Ejections, Returns: l.Returns,
		Latency: legLatency(all, l), DampedMS: l.DampedMs, Cause: l.Cause, wishView: viewWish(l.Leaving, l.Maintenance != 0, l.Successor),
		Counters: legCounters{
			l.Reads, l.Writes, l.ReadBytes, l.WriteBytes, l.Errors, l.Inflight,
			l.ReadErrors, l.ReadRepairs, l.ReadRepairFailures, l.BadData,
		},
	}
}

var legColumns = append([]column[legView]{
	{"pool", true, false, func(l legView) string { return l.Pool }},
	{"member", true, true, func(l legView) string { return num(uint64(l.MemberID)) }},
	{"node", true, false, func(l legView) string { return l.Node }},
	{"addr", true, false, func(l legView) string { return l.Addr }},
	{"kind", false, false, func(l legView) string { return l.Kind }},
	{"state", true, false, func(l legView) string { return l.State.String() }},
	{"reason", true, false, legView.why},
	{"cause", false, false, func(l legView) string { return l.Cause.String() }},
	{"wish", false, false, func(l legView) string { return strings.Trim(l.words(), "()") }},
	{"lacking", false, true, func(l legView) string { return num(l.Lacking) }},
	{"age", false, true, func(l legView) string { return fmt.Sprintf("%ds", l.AgeMS/1000) }},
	{"ejections", false, true, func(l legView) string { return num(uint64(l.Ejections)) }},
	{"returns", false, true, func(l legView) string { return num(uint64(l.Returns)) }},
	{"latency", true, true, func(l legView) string { return micro(l.LatencyNS) }},
	{"reads", true, true, func(l legView) string { return num(l.Counters.Reads) }},
	{"writes", true, true, func(l legView) string { return num(l.Counters.Writes) }},
	{"read-bytes", false, true, func(l legView) string { return size(l.Counters.ReadBytes) }},
	{"write-bytes", false, true, func(l legView) string { return size(l.Counters.WriteBytes) }},
	{"errors", true, true, func(l legView) string { return num(l.Counters.Errors) }},
	{"read-errors", false, true, func(l legView) string { return num(l.Counters.ReadErrors) }},
	{"read-repairs", false, true, func(l legView) string { return num(l.Counters.Repairs) }},
	{"read-repair-failures", false, true, func(l legView) string { return num(l.Counters.Unrepaired) }},
	{"bad-data", false, true, func(l legView) string { return num(l.Counters.BadData) }},
	{"inflight", false, true, func(l legView) string { return num(uint64(l.Counters.Inflight)) }},
	{"max-io", false, true, func(l legView) string { return size(uint64(l.MaxIO)) }},
	{"device", false, false, func(l legView) string { return devicePath(l.Index) }},
	{"store-uuid", false, false, func(l legView) string { return l.StoreUUID.String() }},
}, latencyColumns(func(l legView) latencyView { return l.Latency })...)

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func num(n uint64) string { return fmt.Sprint(n) }

func milli(ns uint64) string { return time.Duration(ns).Round(100 * time.Microsecond).String() }

func micro(ns uint64) string { return fmt.Sprintf("%dus", ns/1000) }

func memberNodes(members []memberView) string {
	list := make([]string, 0, len(members))
	for _, m := range members {
		name := fmt.Sprintf("%d:%s", m.ID, m.Node)
		if m.Kind == pool.MemberWitness.String() {
			name += "(witness)"
		}
		list = append(list, name+m.words())
	}
	return strings.Join(list, " ")
}

func legNodes(legs []legView) string {
	list := make([]string, 0, len(legs))
	for _, l := range legs {
		name := fmt.Sprintf("%d:%s", l.MemberID, l.Node)
		if l.degraded() {
			name += "(" + l.State.String() + ")"
		} else if l.Kind == pool.MemberWitness.String() {
			name += "(witness)"
		}
		list = append(list, name+l.words())
	}
	return strings.Join(list, " ")
}
