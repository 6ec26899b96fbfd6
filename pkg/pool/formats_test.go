// SPDX-License-Identifier: Apache-2.0

// Formats may not drift from the C headers, and the formats page may not drift from either.

package pool

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/formats.md and testdata anew")

const headerDir = "../../kmod/include/rmr/"

func readHeaders(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"ondisk.h", "wire.h"} {
		b, err := os.ReadFile(headerDir + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

var (
	structRE = regexp.MustCompile(`(?ms)^struct (rmr_\w+) \{\n(.*?)^\};\s*/\*\s*(\d+) \*/`)
	fieldRE  = regexp.MustCompile(`(?m)^\t(?:struct )?(\w+)\s+(\w+)(\S*);\s*/\*\s*(\d+)`)
)

var declRE = regexp.MustCompile(`(?m)^\t[^;/*]+;`)

// cField is a field as a header declares it; nested structures stay one field.
type cField struct {
	name string
	off  int
}

func headerStructs(t *testing.T) map[string][]cField {
	t.Helper()
	out := map[string][]cField{}
	for _, m := range structRE.FindAllStringSubmatch(readHeaders(t), -1) {
		declared := len(declRE.FindAllString(m[2], -1))
		for _, f := range fieldRE.FindAllStringSubmatch(m[2], -1) {
			off, err := strconv.Atoi(f[4])
			if err != nil {
				t.Fatal(err)
			}
			out[m[1]] = append(out[m[1]], cField{f[2], off})
		}
		if len(out[m[1]]) != declared {
			t.Errorf("struct %s: %d fields with an offset comment of %d declared", m[1], len(out[m[1]]), declared)
		}
		size, _ := strconv.Atoi(m[3])
		out[m[1]] = append(out[m[1]], cField{"", size})
	}
	return out
}

// topLevel folds nested and repeated fields to the field a header declares.
func topLevel(fields []field) []cField {
	var out []cField
	for _, f := range fields {
		name, _, _ := strings.Cut(f.name, ".")
		name, _, _ = strings.Cut(name, "[")
		if n := len(out); n == 0 || out[n-1].name != name {
			out = append(out, cField{name, f.off})
		}
	}
	return out
}

func TestGoStructuresMatchTheHeaders(t *testing.T) {
	want := headerStructs(t)
	seen := map[string]bool{}
	for _, s := range structures() {
		seen[s.name] = true
		got := append(topLevel(s.fields), cField{"", s.size})
		if fmt.Sprint(got) != fmt.Sprint(want[s.name]) {
			t.Errorf("struct %s:\n  go %v\n  c  %v", s.name, got, want[s.name])
		}
		end := 0
		for _, f := range s.fields {
			if f.off != end {
				t.Errorf("struct %s.%s starts at %d, previous field ends at %d", s.name, f.name, f.off, end)
			}
			end = f.off + f.size
		}
		if end != s.size {
			t.Errorf("struct %s: fields end at %d, size is %d", s.name, end, s.size)
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("struct %s of the headers has no Go counterpart", name)
		}
	}
	if len(want) == 0 {
		t.Fatal("no structures found in the headers")
	}
}

var defineRE = regexp.MustCompile(`(?m)^#define\s+(RMR_\w+)\s+(.*?)(?:/\*.*)?$`)

// evalDefine works out the integer expressions the headers use.
func evalDefine(defs map[string]string, expr string) (uint64, bool) {
	expr = strings.TrimSpace(expr)
	for strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") && strings.Count(expr, "(") == 1 {
		expr = strings.TrimSpace(expr[1 : len(expr)-1])
	}
	for _, op := range []string{"|", "<<", "*", "/"} {
		a, b, ok := strings.Cut(expr, op)
		if !ok {
			continue
		}
		x, okx := evalDefine(defs, a)
		y, oky := evalDefine(defs, b)
		if !okx || !oky {
			return 0, false
		}
		switch op {
		case "|":
			return x | y, true
		case "<<":
			return x << y, true
		case "*":
			return x * y, true
		default:
			return x / y, true
		}
	}
	if body, ok := defs[expr]; ok {
		return evalDefine(defs, body)
	}
	if n, err := strconv.ParseInt(expr, 0, 64); err == nil {
		return uint64(n), true
	}
	n, err := strconv.ParseUint(strings.TrimRight(expr, "uUlL"), 0, 64)
	return n, err == nil
}

func signed(s Status) uint64 { return uint64(int64(s)) }

func goConstants() map[string]uint64 {
	return map[string]uint64{
		"RMR_MD_BLOCK": MDBlock, "RMR_SB_COPIES": SuperblockCopies, "RMR_SB_COPY0_BACK": Copy0Back,
		"RMR_SB_COPY1_BACK": Copy1Back, "RMR_MD_TAIL": MDTail, "RMR_SB_VERSION": sbVersion,
		"RMR_MAX_MEMBERS": MaxMembers, "RMR_NO_MEMBER": NoMember, "RMR_UUID_LEN": uuidLen,
		"RMR_NAME_LEN": NameLen, "RMR_ADDR_LEN": AddrLen, "RMR_MEMBER_ADDRS": MemberAddrs,
		"RMR_BLOCK_SIZE": BlockSize, "RMR_CHUNK_SIZE_MIN": ChunkSizeMin, "RMR_CHUNK_SIZE_MAX": ChunkSizeMax,
		"RMR_CHUNK_SIZE_DEFAULT": ChunkSizeDefault, "RMR_POOL_SIZE_MIN": PoolSizeMin, "RMR_POOL_SIZE_MAX": PoolSizeMax,
		"RMR_FEAT_INCOMPAT_EXT_MD": FeatIncompatExtMD,
		"RMR_FEAT_INCOMPAT_KNOWN":  FeatIncompatKnown, "RMR_FEAT_RO_KNOWN": FeatROKnown, "RMR_FEAT_COMPAT_KNOWN": FeatCompatKnown,
		"RMR_SB_F_CLEAN": uint64(FlagClean), "RMR_SB_F_ZEROED": uint64(FlagZeroed), "RMR_SB_F_USED": uint64(FlagUsed), "RMR_SB_F_QUORUM": uint64(FlagQuorum), "RMR_SB_F_DISCARDED": uint64(FlagDiscarded), "RMR_SB_F_DATA_CRC": uint64(FlagDataCRC), "RMR_SB_F_LEFT": uint64(FlagLeft), "RMR_SB_F_ALL": uint64(flagsAll),
		"RMR_SB_REPAIR": uint64(OnErrorRepair), "RMR_SB_DETACH": uint64(OnErrorDetach), "RMR_SB_PASS_ON": uint64(OnErrorPassOn), "RMR_SB_ON_ERROR_MAX": uint64(OnErrorPassOn),
		"RMR_MEMBER_NONE": uint64(MemberNone), "RMR_MEMBER_DATA": uint64(MemberData), "RMR_MEMBER_WITNESS": uint64(MemberWitness),
		"RMR_SLOT_F_LEAVING": uint64(SlotLeaving), "RMR_SLOT_F_MAINTENANCE": uint64(SlotMaintenance), "RMR_SLOT_F_ALL": uint64(slotAll), "RMR_SLOT_WISH_BITS": slotWishBits,
		"RMR_MAP_SECTOR": MapSector, "RMR_MAP_SECTOR_CHUNKS": MapSectorChunks, "RMR_MAP_BLOCK_SECTORS": MapBlockSectors,
		"RMR_MAP_BLOCK_CHUNKS": MapBlockChunks, "RMR_MAP_MAGIC": mapMagic,
		"RMR_PROTO_MAJOR": ProtoMajor, "RMR_PROTO_MINOR": ProtoMinor, "RMR_PORT": Port, "RMR_MSG_MAX": MsgMax, "RMR_NO_HANDLE": NoHandle,
		"RMR_MSG_HELLO": uint64(MsgHello), "RMR_MSG_POOL_INFO": uint64(MsgPoolInfo), "RMR_MSG_ATTACH": uint64(MsgAttach), "RMR_MSG_VIEW": uint64(MsgView),
		"RMR_MSG_DETACH": uint64(MsgDetach), "RMR_MSG_KEEPALIVE": uint64(MsgKeepalive), "RMR_MSG_IO": uint64(MsgIO), "RMR_MSG_MEMBER_SET": uint64(MsgMemberSet),
		"RMR_MSG_MARK": uint64(MsgMark), "RMR_MSG_CLEAR": uint64(MsgClear), "RMR_MSG_MAP_PULL": uint64(MsgMapPull), "RMR_MSG_LIST": uint64(MsgList),
		"RMR_MSG_RESYNC_READ": uint64(MsgResyncRead), "RMR_MSG_SETTLE": uint64(MsgSettle), "RMR_MSG_READY": uint64(MsgReady),
		"RMR_MSG_PREPARE": uint64(MsgPrepare), "RMR_MSG_FINE": uint64(MsgFine), "RMR_MSG_RESIZE": uint64(MsgResize),
		"RMR_MSG_TYPE_MAX": uint64(msgTypeMax), "RMR_MSG_RANGES": MsgRanges, "RMR_MARKS_AT_ONCE": MarksAtOnce, "RMR_LIST_RANGES": ListRanges,
		"RMR_MAP_RUNS": MapRuns, "RMR_FINE_BYTES": FineBytes, "RMR_MSG_DIGEST": uint64(MsgDigest), "RMR_DIGESTS": Digests, "RMR_DIGEST_F_STEADY": uint64(DigestSteady), "RMR_DIGEST_F_ALL": uint64(DigestSteady), "RMR_DIGEST_LEN": digestLen, "RMR_DIGEST_BYTES": Digests * digestLen, "RMR_NO_MORE": NoMore,
		"RMR_ALIVE_F_MAP": uint64(AliveMap), "RMR_ALIVE_F_STALLED": uint64(AliveStalled), "RMR_ALIVE_F_PAUSED": uint64(AlivePaused), "RMR_ALIVE_F_ALL": uint64(aliveAll),
		"RMR_LIST_F_RESTARTED": uint64(ListRestarted), "RMR_LIST_F_ALL": uint64(listAll),
		"RMR_OP_READ": uint64(OpRead), "RMR_OP_WRITE": uint64(OpWrite), "RMR_OP_FLUSH": uint64(OpFlush), "RMR_OP_DISCARD": uint64(OpDiscard),
		"RMR_OP_WRITE_ZEROES": uint64(OpWriteZeroes), "RMR_OP_MAX": uint64(OpWriteZeroes),
		"RMR_IO_F_FUA": uint64(IOFUA), "RMR_IO_F_NOUNMAP": uint64(IONoUnmap), "RMR_IO_F_SYNC": uint64(IOSync), "RMR_IO_F_CRC": uint64(IOCRC), "RMR_IO_F_ALL": uint64(ioAll),
		"RMR_RESYNC_TAIL": ResyncTail, "RMR_RESYNC_F_CRC": uint64(ResyncCRC), "RMR_RESYNC_F_ALL": uint64(resyncAll),
		"RMR_ST_PASSED_ON": signed(StatusPassedOn), "RMR_ST_LEFT": signed(StatusLeft), "RMR_ST_HUNG": signed(StatusHung), "RMR_ST_BAD_DATA": signed(StatusBadData),
		"RMR_ST_REJOIN": signed(StatusRejoin),
		"RMR_ST_OK":     signed(StatusOK), "RMR_ST_FENCED": signed(StatusFenced), "RMR_ST_MISSED": signed(StatusMissed), "RMR_ST_STALE": signed(StatusStale),
		"RMR_ST_BUSY": signed(StatusBusy), "RMR_ST_NOPOOL": signed(StatusNoPool), "RMR_ST_MALFORMED": signed(StatusMalformed), "RMR_ST_VERSION": signed(StatusVersion),
		"RMR_RESIZE_F_SHRINK": uint64(ResizeShrink), "RMR_RESIZE_F_ASK": uint64(ResizeAsk), "RMR_RESIZE_F_ALL": uint64(resizeAll),
		"RMR_ATTACH_F_TAKEOVER": uint64(AttachTakeover), "RMR_ATTACH_F_FORCE": uint64(AttachForce), "RMR_ATTACH_F_ALL": uint64(attachAll),
		"RMR_DETACH_F_CLEAN": uint64(DetachClean), "RMR_DETACH_F_ALL": uint64(detachAll),
	}
}

func TestGoConstantsMatchTheHeaders(t *testing.T) {
	defs := map[string]string{}
	for _, m := range defineRE.FindAllStringSubmatch(readHeaders(t), -1) {
		defs[m[1]] = m[2]
	}
	want := goConstants()
	for name, value := range want {
		got, ok := evalDefine(defs, name)
		if !ok || got != value {
			t.Errorf("%s: header has %q (%#x), Go has %#x", name, defs[name], got, value)
		}
	}
	for name, body := range defs {
		_, number := evalDefine(defs, name)
		if _, known := want[name]; number && !known {
			t.Errorf("%s = %s of the headers has no Go constant under test", name, body)
		}
	}
}
