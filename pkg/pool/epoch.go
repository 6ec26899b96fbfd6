// SPDX-License-Identifier: Apache-2.0

// This file owns epochs and views as values: order and encoding. What makes a view legal is in view.go.

package pool

import (
	"cmp"
	"fmt"
)

// Epoch is the fencing number of one client attachment. The zero epoch means: no client yet.
type Epoch struct {
	Seq    uint64 `json:"seq"`    // one above the highest seen at attach
	Client uint64 `json:"client"` // random id of the attaching client, makes equal Seq differ (F_EPOCH)
}

// Compare is negative, zero or positive as e is older than, equal to or newer than other.
func (e Epoch) Compare(other Epoch) int {
	return cmp.Or(cmp.Compare(e.Seq, other.Seq), cmp.Compare(e.Client, other.Client))
}

// IsZero tells whether no client made this epoch.
func (e Epoch) IsZero() bool { return e == Epoch{} }

// String gives "seq:client", client in hex.
func (e Epoch) String() string { return fmt.Sprintf("%d:%x", e.Seq, e.Client) }

func (e *Epoch) walk(c *coder) {
	c.le64("seq", &e.Seq)
	c.le64("client", &e.Client)
}

// View says who may serve. The zero view, number 0, is that of a pool no client ever attached.
type View struct {
	Epoch    Epoch  `json:"epoch"`      // of the client that made it
	Number   uint64 `json:"number"`     // rises by one within an epoch
	UpToDate Mask   `json:"up_to_date"` // U: holds every acknowledged write, no dirty bit
	Syncing  Mask   `json:"syncing"`    // Y: gets all new writes, may lack older ones
	Lineage  UUID   `json:"lineage"`    // history this view belongs to; forced service starts a new one
}

// Active is U and Y together: the members that get every write.
func (v View) Active() Mask { return v.UpToDate | v.Syncing }

// Compare orders views by epoch, then number (F_ORDER).
func (v View) Compare(other View) int {
	return cmp.Or(v.Epoch.Compare(other.Epoch), cmp.Compare(v.Number, other.Number))
}

// String gives one line for logs.
func (v View) String() string {
	return fmt.Sprintf("%s/%d U=%s Y=%s", v.Epoch, v.Number, v.UpToDate, v.Syncing)
}

func (v *View) walk(c *coder) {
	c.group("epoch", func() { v.Epoch.walk(c) })
	c.le64("number", &v.Number)
	c.u8("up_to_date", (*uint8)(&v.UpToDate))
	c.u8("syncing", (*uint8)(&v.Syncing))
	c.reserved("reserved", 6)
	c.uuid("lineage", &v.Lineage)
	c.check(v.UpToDate&v.Syncing == 0, "syncing", uint64(v.Syncing), "shares members with up_to_date")
	c.check(v.Number == 0 || v.UpToDate != 0, "up_to_date", 0, "empty in a numbered view")
}
