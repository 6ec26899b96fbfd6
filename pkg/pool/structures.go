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
		{"rmr_sb_member", 224, describe(new(Member).walk)},
		{"rmr_sb", SuperblockSize, describe(new(Superblock).walk)},
		{"rmr_map_sector", MapSector, describe(new(MapSectorImage).walk)},
		{"rmr_msg_hdr", headerSize, describe(func(c *coder) { new(Header).walk(c, MsgHello) })},
	}
	for t := MsgHello; t <= MsgMemberSet; t++ {
		k, _ := kindOf(t)
		list = append(list, structure{k.structure, k.size, describe(func(c *coder) { walkMessage(c, k.make()) })})
	}
	return append(list,
		structure{"rmr_limits_le", 64, describe(new(Limits).walk)},
		structure{"rmr_rsp_hello", helloReplySize, describe(new(HelloReply).walk)},
		structure{"rmr_rsp_pool", poolReplySize, describe(new(PoolReply).walk)})
}
