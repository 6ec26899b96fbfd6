// SPDX-License-Identifier: Apache-2.0

// This file owns the list of all structures of the wire and disk formats, from which the formats page is
// written and the header check is made.

package pool

type structure struct {
	name   string
	size   int
	fields []field
}

// structures describes every structure in the order of the headers.
func structures() []structure {
	list := []structure{
		{"rmr_epoch_le", 16, describe(new(Epoch).walk)},
		{"rmr_view_le", 48, describe(new(View).walk)},
		{"rmr_sb_member", 224, describe(func(c *coder) { new(Member).walk(c, 0) })},
		{"rmr_sb", SuperblockSize, describe(new(Superblock).walk)},
		{"rmr_stub", StubSize, describe(new(Stub).walk)},
		{"rmr_map_sector", MapSector, describe(new(MapSectorImage).walk)},
		{"rmr_msg_hdr", headerSize, describe(func(c *coder) { new(Header).walk(c, MsgHello) })},
	}
	seen := map[string]bool{}
	for t := MsgHello; t <= msgTypeMax; t++ {
		k, known := kindOf(t)
		if !known || seen[k.structure] {
			continue
		}
		seen[k.structure] = true
		list = append(list, structure{k.structure, k.size, describe(func(c *coder) { walkMessage(c, k.make()) })})
	}
	return append(list,
		structure{"rmr_range_le", 16, describe(new(Range).walk)},
		structure{"rmr_map_run_le", 16, describe(new(MapRun).walk)},
		structure{"rmr_rsp_keepalive", keepaliveReplySize, describe(new(KeepaliveReply).walk)},
		structure{"rmr_rsp_map_pull", mapReplySize, describe(new(MapReply).walk)},
		structure{"rmr_rsp_list", listReplySize, describe(new(ListReply).walk)},
		structure{"rmr_rsp_fine", fineReplySize, describe(new(FineReply).walk)},
		structure{"rmr_rsp_digest", digestReplySize, describe(new(DigestReply).walk)},
		structure{"rmr_limits_le", 64, describe(new(Limits).walk)},
		structure{"rmr_rsp_hello", helloReplySize, describe(new(HelloReply).walk)},
		structure{"rmr_rsp_pool", poolReplySize, describe(new(PoolReply).walk)})
}

// Structure is one fixed structure of the disk or wire formats, as Formats lists it.
type Structure struct {
	Name   string // as in the C headers
	Size   int    // bytes
	Fields []Field
}

// Field is one field of a Structure. Fields follow each other without gaps.
type Field struct {
	Name   string // nested and repeated ones with their path: "member.state"
	Offset int    // bytes from the start of the structure
	Size   int    // bytes
	Kind   string // u8, le16, le32, le64 (unsigned, little-endian), bytes, text (zero padded), reserved (zero)
}

// Formats lists every structure of the disk and wire formats, in the order of the C headers. The lists are
// the ones that the encoders and decoders of this package walk.
func Formats() []Structure {
	var all []Structure
	for _, s := range structures() {
		out := Structure{Name: s.name, Size: s.size}
		for _, f := range s.fields {
			out.Fields = append(out.Fields, Field{f.name, f.off, f.size, f.kind})
		}
		all = append(all, out)
	}
	return all
}
