// SPDX-License-Identifier: Apache-2.0

// Sample values that the tests and the fixtures shared with the C core are made of.

package pool

func sampleUUID(seed byte) UUID {
	var u UUID
	for i := range u {
		u[i] = seed + byte(i)*7
	}
	return u
}

func sampleMembers() (m [MaxMembers]Member) {
	m[0] = Member{State: MemberData, Store: sampleUUID(1), Node: "stor1", Addrs: [2]string{"192.0.2.1", "fe80::1%eth0"}}
	m[1] = Member{
		State: MemberData, Flags: SlotLeaving | SlotMaintenance, Successor: 7 + 1, Store: sampleUUID(2), Generation: 3<<slotWishBits | 2,
		Node: "stor2", Addrs: [2]string{"192.0.2.2", ""},
	}
	m[2] = Member{State: MemberWitness, Store: sampleUUID(3), Node: "wit.example", Addrs: [2]string{"2001:db8::3", ""}}
	m[7] = Member{State: MemberData, Store: sampleUUID(4), Node: "stor-7", Addrs: [2]string{"192.0.2.7", "198.51.100.7"}}
	m[4] = Member{Generation: 5 << slotWishBits}
	return m
}

func sampleView() View {
	return View{Epoch: Epoch{5, 0xabcdef0123456789}, Number: 12, UpToDate: MaskOf(0, 7), Syncing: MaskOf(1), Lineage: sampleUUID(9)}
}

const sampleStoreSize = 10<<30 + 512*3 // not whole blocks

func sampleSuperblock() *Superblock {
	s := &Superblock{
		Flags: FlagUsed | FlagZeroed, FeatCompat: 0, WriteSeq: 43, Pool: sampleUUID(8), Store: sampleUUID(2),
		Name: "vol1", PoolSize: 8 << 30, ChunkSize: ChunkSizeDefault, MemberID: 1, StoreSize: UsableSize(sampleStoreSize),
		Created: 1_800_000_000, Promised: Epoch{6, 0x1111}, View: sampleView(), TableVersion: 4, Verified: 1_800_000_777, VerifyDifferences: 3, Members: sampleMembers(),
	}
	s.MapLen = MapLen(s.Chunks())
	s.MapOff = MapOff(s.StoreSize, s.MapLen)
	return s
}

// sampleSplit has its data on another device, which has room for a larger pool.
func sampleSplit() *Superblock {
	s := sampleSuperblock()
	s.FeatIncompat, s.StoreSize = FeatIncompatExtMD, 64<<20
	s.MapOff = 1 << 20
	s.DataSize, s.DataLabel, s.Room = 20<<30, sampleUUID(7), 19<<30
	return s
}

// sampleWitness is the superblock of the smallest witness.
func sampleWitness() *Superblock {
	s := sampleSuperblock()
	s.Flags, s.MemberID, s.Store, s.StoreSize, s.MapOff, s.MapLen = FlagUsed|FlagZeroed|FlagQuorum, 2, sampleUUID(3), WitnessStoreSize, 0, 0
	return s
}

func samplePoolReply() *PoolReply {
	s := sampleSuperblock()
	return &PoolReply{
		Pool: s.Pool, Name: s.Name, PoolSize: s.PoolSize, ChunkSize: s.ChunkSize, MemberID: 1, Busy: true, Flags: s.Flags,
		Handle: 17, TableVersion: 4, Promised: s.Promised, View: s.View, Store: s.Store, Members: s.Members,
		Limits: Limits{LogicalBlock: 512, PhysicalBlock: 4096, IOMin: 4096, IOOpt: 1 << 20, DiscardMax: 1 << 30, DiscardGranularity: 4096, ZeroesMax: 1 << 31, WriteCache: true, FUA: true},
		Claim:  Member{State: MemberData, Store: sampleUUID(40), Generation: 2 << slotWishBits, Node: "stor9", Addrs: [MemberAddrs]string{"192.0.2.9"}}, ClaimID: 5, Cuts: 3,
	}
}

// sampleMessages has one of each type and each operation.
func sampleMessages() map[string]Message {
	free, bound := Header{Handle: NoHandle}, Header{Handle: 17}
	epoch := Epoch{6, 0x1111}
	return map[string]Message{
		"hello":           &Hello{Header: free, Features: 3, Requester: 99, Node: "host-a"},
		"pool_info-name":  &PoolInfo{Header: free, Name: "vol1"},
		"pool_info-uuid":  &PoolInfo{Header: free, UUID: sampleUUID(8), To: 8},
		"attach":          &Attach{Header: free, Pool: sampleUUID(8), Epoch: epoch, Flags: AttachTakeover, MemberID: 1, Node: "host-a"},
		"view":            &ViewSet{Header: bound, View: sampleView()},
		"detach":          &Detach{Header: bound, Epoch: epoch, Flags: DetachClean},
		"keepalive":       &Keepalive{Header: bound, Epoch: epoch, View: 12, CompletedBelow: 77},
		"io-read":         &IO{Header: bound, Epoch: epoch, View: 12, CompletedBelow: 77, Offset: 1 << 30, Length: 65536, Op: OpRead},
		"io-write":        &IO{Header: bound, Epoch: epoch, View: 12, Seq: 80, CompletedBelow: 77, Offset: 4096, Length: 4096, Op: OpWrite, Missing: MaskOf(1, 3), Flags: IOFUA | IOSync},
		"io-write-crc":    &IO{Header: bound, Epoch: epoch, View: 12, Seq: 80, CompletedBelow: 77, Offset: 4096, Length: 4096, Op: OpWrite, Flags: IOCRC, DataCRC: 0x98f94189},
		"io-flush":        &IO{Header: bound, Epoch: epoch, View: 12, CompletedBelow: 80, Op: OpFlush},
		"io-discard":      &IO{Header: bound, Epoch: epoch, View: 12, Seq: 81, CompletedBelow: 80, Offset: 8192, Length: 1 << 20, Op: OpDiscard},
		"io-write_zeroes": &IO{Header: bound, Epoch: epoch, View: 12, Seq: 82, CompletedBelow: 80, Offset: 512, Length: 512, Op: OpWriteZeroes, Flags: IONoUnmap},
		"member_set":      &MemberSet{Header: free, Pool: sampleUUID(8), TableVersion: 4, MemberID: 3, Member: sampleMembers()[1]},
		"mark":            &Mark{Header: bound, Epoch: epoch, View: 12, Number: 3, Bits: MaskOf(1, 2), Ranges: []Range{{7, 1}, {100, 4000}}},
		"mark-reconcile":  &Mark{Header: bound, Epoch: epoch, View: 12, Number: 4, Bits: MaskOf(1, 2), Source: MaskOf(0), Ranges: manyRanges(MsgRanges)},
		"clear":           &Clear{Header: free, Pool: sampleUUID(8), Epoch: epoch, View: 12, From: 1, To: 1, Ranges: []Range{{0, 8192}}},
		"map_pull":        &MapPull{Header: free, Pool: sampleUUID(8), Epoch: epoch, First: 5000, From: 1, To: 2},
		"list":            &List{Header: bound, Epoch: epoch, First: 300},
		"resync_read":     &ResyncRead{Header: free, Pool: sampleUUID(8), Epoch: epoch, Offset: 1 << 20, Length: 65536, From: 1, To: 3},
		"settle":          &Settle{step{bound, epoch, 12}},
		"ready":           &Ready{step{bound, epoch, 12}},
		"prepare":         &Prepare{step{bound, epoch, 12}},
		"resize":          &Resize{Header: bound, Epoch: epoch, Size: 9 << 30, From: 10 << 30, Cuts: 3, Flags: ResizeShrink},
		"fine":            &Fine{Header: free, Pool: sampleUUID(8), Epoch: epoch, Chunk: 4095, From: 7, To: 1},
		"digest":          &Digest{Header: free, Pool: sampleUUID(8), Epoch: epoch, Chunk: 4095, From: 7, To: 4, First: 4000, Count: 96, Key: sampleDigest(1)},
		"member_set-held": &MemberSet{Header: bound, Pool: sampleUUID(8), MemberID: 3, More: true, Epoch: epoch, Member: Member{Generation: 2 << slotWishBits}},
		"member_set-free": &MemberSet{Header: free, Pool: sampleUUID(8), TableVersion: 5, MemberID: 3},
	}
}

func sampleHelloReply() *HelloReply {
	return &HelloReply{Major: 1, Minor: 0, MaxIO: 131072, Features: 1, Responder: 0xfeed, Node: "stor1"}
}

// manyRanges is n ranges with gaps.
func manyRanges(n int) []Range {
	list := make([]Range, n)
	for i := range list {
		list[i] = Range{uint64(i) * 1000, uint64(i) + 1}
	}
	return list
}

func sampleKeepaliveReply() *KeepaliveReply {
	return &KeepaliveReply{View: 12, Lacking: 40, Copied: 1 << 30, ClearedOn: MaskOf(0), Flags: AliveMap | AlivePaused, Table: 0xfedcba98}
}

func sampleMapReply() *MapReply {
	r := &MapReply{First: 5000, Next: 5000 + 3*MapRuns, Chunks: 8192}
	for i := range MapRuns {
		r.Runs = append(r.Runs, MapRun{First: 5000 + 3*uint64(i), Count: 2, Bits: MaskOf(i % MaxMembers)})
	}
	return r
}

func sampleListReply() *ListReply {
	return &ListReply{First: 300, Next: NoMore, Flags: ListRestarted, Ranges: []Range{{300, 1}, {400, 50}}}
}

func sampleDigest(n byte) (d DigestSum) {
	for i := range d {
		d[i] = n + byte(i)
	}
	return d
}

func sampleDigestReply() *DigestReply {
	return &DigestReply{Chunk: 4095, First: 4000, Dirty: 0x12, Flags: DigestSteady, Newest: 1 << 34, View: 77, Digests: []DigestSum{sampleDigest(1), {}, sampleDigest(200)}}
}

func sampleFineReply() *FineReply {
	r := &FineReply{Chunk: 4095, Known: true, Newest: 1 << 33, Latency: 1_500_000}
	r.Blocks[0], r.Blocks[31] = 0x81, 0xff
	return r
}
