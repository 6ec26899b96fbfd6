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
		structure{"rmr_limits_le", 64, describe(new(Limits).walk)},
		structure{"rmr_rsp_hello", helloReplySize, describe(new(HelloReply).walk)},
		structure{"rmr_rsp_pool", poolReplySize, describe(new(PoolReply).walk)})
}
