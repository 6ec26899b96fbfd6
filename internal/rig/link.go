// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"fmt"
	"sync"

	"github.com/rmr-block/rmr/internal/rig/agent"
)

// Netem is what a link does to packets in both directions; the zero value is a good link.
type Netem = agent.Netem

// Link is the cable between a node and the rig's switch. What is set here holds across restarts
// of the node.
type Link struct {
	node *Node

	mu    sync.Mutex // guards what follows
	netem Netem
}

// Cut pulls the cable out of the switch. The node sees no carrier loss, as with a dead switch.
// It works while the node is stopped.
func (l *Link) Cut() error {
	l.node.logf("link cut")
	return l.node.cluster.net.do(func() error { return plug(l.node.index, false) })
}

// Heal puts the cable back and ends packet faults.
func (l *Link) Heal(ctx context.Context) error {
	l.node.logf("link healed")
	if err := l.node.cluster.net.do(func() error { return plug(l.node.index, true) }); err != nil {
		return err
	}
	return l.Netem(ctx, Netem{})
}

// Netem sets packet faults. The node applies them itself, so a stopped node does so when it is
// resumed, and ctx should have an end.
func (l *Link) Netem(ctx context.Context, n Netem) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n == l.netem {
		return nil
	}
	l.node.logf("link netem %+v", n)
	client, err := l.node.client()
	if err == nil {
		err = client.Netem(ctx, n)
	}
	if err != nil {
		return fmt.Errorf("set packet faults of %s: %w", l.node.Name(), err)
	}
	l.netem = n
	return nil
}

// reapply sets the remembered faults in a node that was just booted.
func (l *Link) reapply(ctx context.Context, client *agent.Client) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.netem == (Netem{}) {
		return nil
	}
	return client.Netem(ctx, l.netem)
}
