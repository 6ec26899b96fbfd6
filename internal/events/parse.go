// SPDX-License-Identifier: Apache-2.0

// This file owns the readers: of the kernel's log and of `rmrctl events -o json`.

package events

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Lines of the kernel's log. A client writes "rmr POOL: ...", a member "rmr POOL/ID: ...".
var (
	bootLine    = regexp.MustCompile(`\] Linux version \d`)
	legLine     = regexp.MustCompile(`\] rmr ([^\s/]+): leg (\d+): (\S+) -> (\S+) reason \d+`)
	memberLine  = regexp.MustCompile(`\] rmr ([^\s/]+/\d+): (state|resync) (\S+) -> (\S+) reason \d+`)
	viewLine    = regexp.MustCompile(`\] rmr ([^\s/]+): view (\d+) counts: up-to-date 0x([0-9a-f]+) syncing 0x([0-9a-f]+)`)
	liveLine    = regexp.MustCompile(`\] rmr ([^\s/]+): live, epoch \d+ view (\d+) up-to-date 0x([0-9a-f]+) syncing 0x([0-9a-f]+)`)
	suspendLine = regexp.MustCompile(`\] rmr ([^\s/]+): live -> suspended:`)
	detachLine  = regexp.MustCompile(`\] rmr ([^\s/]+): detached`)
)

// Log checks the console log of one node, of all its boots.
func (c *Checker) Log(text string) {
	for line := range strings.Lines(text) {
		c.line++
		c.text = strings.TrimSpace(line)
		c.logLine(c.text)
	}
}

func (c *Checker) logLine(line string) {
	if bootLine.MatchString(line) {
		c.forget(func(string) bool { return true })
		clear(c.views)
	} else if m := legLine.FindStringSubmatch(line); m != nil {
		c.change(Change{Object: "leg", Key: m[1] + "/" + m[2], Pool: m[1], From: m[3], To: m[4]})
	} else if m := memberLine.FindStringSubmatch(line); m != nil {
		c.change(Change{Object: map[string]string{"state": "pool", "resync": "resync"}[m[2]], Key: m[1], From: m[3], To: m[4]})
	} else if m := viewLine.FindStringSubmatch(line); m != nil {
		c.established(m[1], viewOf(m))
	} else if m := liveLine.FindStringSubmatch(line); m != nil {
		c.report(Change{Object: "device", Key: m[1], To: "live"})
		if v := viewOf(m); v != c.views[m[1]] {
			c.established(m[1], v)
		}
	} else if m := suspendLine.FindStringSubmatch(line); m != nil {
		c.change(Change{Object: "device", Key: m[1], From: "live", To: "suspended"})
		delete(c.views, m[1]) // another client may attach before this one does again
	} else if m := detachLine.FindStringSubmatch(line); m != nil {
		c.report(Change{Object: "device", Key: m[1], To: "detaching"})
		c.forget(func(id string) bool {
			return id == "device "+m[1] || strings.HasPrefix(id, "leg "+m[1]+"/")
		})
		delete(c.views, m[1])
	}
}

func viewOf(m []string) view {
	return view{number(m[2], 10, 64), uint8(number(m[3], 16, 8)), uint8(number(m[4], 16, 8))}
}

// number of what an expression matched: a mask or number that does not fit is as wrong as a zero.
func number(s string, base, size int) uint64 {
	v, err := strconv.ParseUint(s, base, size)
	if err != nil {
		return 0
	}
	return v
}

// event is a line of `rmrctl events -o json`.
type event struct {
	Action string `json:"action"`
	Object string `json:"object"`
	Key    string `json:"key"`
	Name   string `json:"name"` // of the pool
	State  string `json:"state"`
}

// Stream checks what `rmrctl events -o json` printed: objects are made before they change, changed only while they
// exist, made and destroyed in turn, and each change is one that the tables lead to.
func (c *Checker) Stream(text string) error {
	started := false
	for raw := range strings.Lines(text) {
		c.line++
		c.text = strings.TrimSpace(raw)
		var e event
		if err := json.Unmarshal([]byte(c.text), &e); err != nil {
			return fmt.Errorf("events line %d: %w", c.line, err)
		}
		if e.Action == "exists" && e.Object == "-" {
			started = true
			continue
		}
		if (e.Action == "exists") == started {
			c.violate("%q out of place", e.Action)
		}
		c.streamLine(e)
	}
	return nil
}

func (c *Checker) streamLine(e event) {
	id := e.Object + " " + e.Key
	// A device that is unmapped and made again for another pool at once shows as a change.
	if name, known := c.pools[id]; known && name != e.Name && e.Action == "change" {
		delete(c.state, id)
		e.Action = "create"
	}
	c.pools[id] = e.Name
	_, known := c.state[id]
	switch {
	case (e.Action == "exists" || e.Action == "create") && known:
		c.violate("%s exists already", id)
	case (e.Action == "change" || e.Action == "destroy") && !known:
		c.violate("%s does not exist", id)
	case e.Action == "destroy":
		c.Changes++
		delete(c.state, id)
		delete(c.pools, id)
		return
	case e.Action != "exists" && e.Action != "create" && e.Action != "change":
		c.violate("no action")
		return
	}
	c.report(Change{Object: e.Object, Key: e.Key, To: e.State})
}
