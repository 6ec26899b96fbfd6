// SPDX-License-Identifier: Apache-2.0

// The noun disk: what its verbs have in common, and what they show. They work on the metadata at the end of a device
// or an image file, without the kernel modules.

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// openToLook opens a device or an image for reading. One in use is opened all the same, with a warning: reading harms
// nobody, and whoever wonders about a store should not have to stop it first.
func (a *app) openToLook(verb, path string) (d *blockdev.Disk, inUse bool, err error) {
	d, err = a.OpenImage(path, false)
	if errors.Is(err, blockdev.ErrBusy) {
		inUse = true
		if d, err = a.OpenShared(path); err == nil {
			fmt.Fprintf(a.Stderr, "%s: warning: %s is in use: this is what it held at one moment\n", a.name, path)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", verb, err)
	}
	return d, inUse, nil
}

type copyView struct {
	Copy     int    `json:"copy"`
	Offset   uint64 `json:"offset"`
	Length   uint64 `json:"length"`
	State    string `json:"state"` // used, same, older, blank, damaged or unreadable
	WriteSeq uint64 `json:"write_seq"`
	Field    string `json:"field"` // that was refused
	Problem  string `json:"problem"`
}

type partView struct {
	Name   string `json:"name"`
	Offset uint64 `json:"offset"`
	Length uint64 `json:"length"`
}

type storedView struct {
	Epoch    epochView  `json:"epoch"`
	Number   uint64     `json:"number"`
	UpToDate rmrnl.Mask `json:"up_to_date"`
	Syncing  rmrnl.Mask `json:"syncing"`
	Lineage  pool.UUID  `json:"lineage"`
}

type superblockView struct {
	PoolUUID     pool.UUID    `json:"pool_uuid"`
	PoolName     string       `json:"pool_name"`
	PoolSize     uint64       `json:"pool_size"`
	ChunkSize    uint32       `json:"chunk_size"`
	Chunks       uint64       `json:"chunks"`
	MemberID     uint8        `json:"member_id"`
	StoreUUID    pool.UUID    `json:"store_uuid"`
	Created      uint64       `json:"created"` // seconds since 1970, UTC
	Clean        bool         `json:"clean"`
	Zeroed       bool         `json:"zeroed"`
	Used         bool         `json:"used"`
	Quorum       bool         `json:"quorum"`
	Discarded    bool         `json:"discarded"`
	Promised     epochView    `json:"promised"`
	View         storedView   `json:"view"`
	TableVersion uint64       `json:"table_version"`
	Members      []memberView `json:"members"`
	Layout       []partView   `json:"layout"`
}

type dirtyView struct {
	Member int    `json:"member"`
	Chunks uint64 `json:"chunks"`
	Bytes  uint64 `json:"bytes"`
}

// regionView is a run of chunks that are marked for every data member and have an intent.
type regionView struct {
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Offset uint64 `json:"offset"` // of the data, bytes
	Length uint64 `json:"length"` // bytes
}

type mapView struct {
	Sectors        uint32       `json:"sectors"`
	DamagedSectors uint64       `json:"damaged_sectors"`
	Intents        uint64       `json:"intents"` // chunks
	Dirty          []dirtyView  `json:"dirty"`   // members with marked chunks
	AllDirty       []regionView `json:"all_dirty"`
	MoreAllDirty   uint64       `json:"more_all_dirty"` // regions beyond those listed
}

type diskView struct {
	Path       string          `json:"path"`
	InUse      bool            `json:"in_use"`
	Degraded   bool            `json:"degraded"`
	DeviceSize uint64          `json:"device_size"`
	StoreSize  uint64          `json:"store_size"`
	Copies     []copyView      `json:"copies"`
	Superblock *superblockView `json:"superblock"` // null: no valid copy
	Map        *mapView        `json:"map"`
}

func viewDisk(path string, inUse bool, s *metadata.Store) diskView {
	v := diskView{Path: path, InUse: inUse, DeviceSize: s.Size, StoreSize: pool.UsableSize(s.Size)}
	for i := range s.Copies {
		v.Copies = append(v.Copies, viewCopy(s, i))
		v.Degraded = v.Degraded || v.Copies[i].State != "used" && v.Copies[i].State != "same"
	}
	if s.Superblock != nil {
		v.Degraded = v.Degraded || len(s.Faults) > 0
		v.Superblock, v.Map = viewSuperblock(s), viewMap(s)
	}
	return v
}

func viewCopy(s *metadata.Store, number int) copyView {
	c := s.Copies[number]
	v := copyView{Copy: number, Offset: c.Offset, Length: pool.SuperblockSize}
	var fe *pool.FieldError
	if errors.As(c.Err, &fe) {
		v.Field = fe.Field
	}
	if c.Err != nil {
		v.Problem = c.Err.Error()
	} else {
		v.WriteSeq = c.Superblock.WriteSeq
	}
	switch {
	case c.Bytes == nil:
		v.State = "unreadable"
	case errors.Is(c.Err, pool.ErrNotOurs):
		v.State = "blank"
	case c.Err != nil:
		v.State = "damaged"
	case number == s.Used:
		v.State = "used"
	case v.WriteSeq < s.Superblock.WriteSeq:
		v.State = "older"
	case string(c.Bytes) == string(s.Copies[s.Used].Bytes):
		v.State = "same"
	default:
		v.State = "differs"
	}
	return v
}

func viewSuperblock(s *metadata.Store) *superblockView {
	sb := s.Superblock
	v := &superblockView{
		PoolUUID: sb.Pool, PoolName: sb.Name, PoolSize: sb.PoolSize, ChunkSize: sb.ChunkSize, Chunks: sb.Chunks(), MemberID: sb.MemberID,
		StoreUUID: sb.Store, Created: sb.Created, Clean: sb.Flags&pool.FlagClean != 0, Zeroed: sb.Flags&pool.FlagZeroed != 0,
		Used: sb.Flags&pool.FlagUsed != 0, Quorum: sb.Flags&pool.FlagQuorum != 0, Discarded: sb.Flags&pool.FlagDiscarded != 0, Promised: viewEpoch(sb.Promised.Seq, sb.Promised.Client), TableVersion: sb.TableVersion,
		View: storedView{
			viewEpoch(sb.View.Epoch.Seq, sb.View.Epoch.Client), sb.View.Number, rmrnl.Mask(sb.View.UpToDate), rmrnl.Mask(sb.View.Syncing), sb.View.Lineage,
		},
		Members: []memberView{},
	}
	if sb.DataMembers().Has(int(sb.MemberID)) { // a witness has neither
		v.Layout = []partView{{"data", 0, sb.PoolSize}, {"map", sb.MapOff, sb.MapLen}}
	}
	for i := len(s.Copies) - 1; i >= 0; i-- {
		v.Layout = append(v.Layout, partView{fmt.Sprintf("superblock copy %d", i), s.Copies[i].Offset, pool.SuperblockSize})
	}
	for id, m := range sb.Members {
		if m.State == pool.MemberNone {
			continue
		}
		addrs := slices.DeleteFunc(slices.Clone(m.Addrs[:]), func(a string) bool { return a == "" })
		v.Members = append(v.Members, memberView{
			uint8(id), m.State.String(), m.Store, m.Node, notNil(addrs), 0,
			viewWish(m.Flags&pool.SlotLeaving != 0, m.Flags&pool.SlotMaintenance != 0, m.Successor),
		})
	}
	return v
}

// regionsShown bounds the list of all-dirty regions.
const regionsShown = 64

func viewMap(s *metadata.Store) *mapView {
	sb := s.Superblock
	v := &mapView{Sectors: s.Sectors(), Dirty: []dirtyView{}, AllDirty: []regionView{}}
	for _, f := range s.Faults {
		v.DamagedSectors += uint64(f.Last-f.First) + 1
	}
	var count, bytes [pool.MaxMembers]uint64
	self, all := int(sb.MemberID), sb.DataMembers().With(int(sb.MemberID))
	for chunk, bits := range s.Map.Dirty(0xff) {
		length := min(uint64(sb.ChunkSize), sb.PoolSize-chunk*uint64(sb.ChunkSize))
		for id := range bits.All() {
			count[id]++
			bytes[id] += length
		}
		if all.Within(bits) {
			v.addRegion(chunk, uint64(sb.ChunkSize), length)
		}
	}
	v.Intents = count[self]
	for id, n := range count {
		// What damage adds for slots that hold nothing is of no interest.
		if n > 0 && id != self && sb.DataMembers().Has(id) {
			v.Dirty = append(v.Dirty, dirtyView{id, n, bytes[id]})
		}
	}
	return v
}

func (v *mapView) addRegion(chunk, chunkSize, length uint64) {
	if n := len(v.AllDirty); n > 0 && v.MoreAllDirty == 0 && v.AllDirty[n-1].Last+1 == chunk {
		v.AllDirty[n-1].Last = chunk
		v.AllDirty[n-1].Length += length
		return
	}
	if len(v.AllDirty) == regionsShown {
		v.MoreAllDirty++ // chunks from here on, each for itself
		return
	}
	v.AllDirty = append(v.AllDirty, regionView{chunk, chunk, chunk * chunkSize, length})
}

// flagNames are the flags that are set, for people.
func (v *superblockView) flagNames() string {
	var list []string
	for _, f := range []struct {
		set  bool
		name string
	}{{v.Clean, "clean"}, {v.Zeroed, "zeroed"}, {v.Used, "used"}, {v.Quorum, "quorum"}, {v.Discarded, "discarded"}} {
		if f.set {
			list = append(list, f.name)
		}
	}
	return orDash(strings.Join(list, ","))
}

// oneDisk is the argument of the verbs that look.
func oneDisk(args []string) (string, error) {
	if len(args) != 1 {
		return "", &usageError{"give a DEVICE or an IMAGE"}
	}
	return args[0], nil
}
