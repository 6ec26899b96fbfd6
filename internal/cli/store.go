// SPDX-License-Identifier: Apache-2.0

// What pool create and pool join have in common: checking the device, zeroing it, and the
// options that say where the member is found.

package cli

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// storeOptions describe the member that a device becomes.
type storeOptions struct {
	changeOptions
	device        string
	mdDevice      string // "": metadata is on device
	mdSize        uint64 // bytes of mdDevice, once it was looked at
	addr          []string
	uuid          string
	assumeZeroed  bool
	zeroBlank     bool // zero a store even if the pool takes it as a blank one
	adopt         bool // pool create only: the data of the device stays
	onError       string
	name          string
	parsedUUID    *pool.UUID
	verbAndObject string // for errors: "pool create vol1"
	made          *rmrnl.Pool
}

func (o *storeOptions) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.changeOptions.flags(fs, "overwrite a file system, partition table or superblock on the device")
	fs.StringVar(&o.device, "device", "", "block `device` that becomes the store")
	fs.StringVar(&o.mdDevice, "metadata-device", "", "block `device` for the metadata, so that all of --device is data")
	fs.StringSliceVar(&o.addr, "addr", nil,
		"`addresses` of this node for clients and peers, at most 2 (default: those of RDMA network devices)")
	fs.StringVar(&o.uuid, "uuid", "", "`UUID` of the pool")
	fs.BoolVar(&o.assumeZeroed, "assume-zeroed", false, "do not zero the device: it reads as zeros already")
	fs.StringVar(&o.onError, "on-error", "", "`policy` for errors of the disk: repair (default), detach or pass-on; see \"disk policy\"")
}

// prepare checks the options that need no device.
func (o *storeOptions) prepare(a *app, verb, name string) error {
	o.name, o.verbAndObject = name, verb+" "+name
	if err := checkPoolName(name); err != nil {
		return err
	}
	var err error
	if o.parsedUUID, err = parseUUID(o.uuid); err != nil {
		return err
	}
	if o.device, err = filepath.Abs(o.device); err != nil {
		return err
	}
	if o.mdDevice != "" {
		if o.mdDevice, err = filepath.Abs(o.mdDevice); err != nil {
			return err
		}
	}
	if len(o.addr) == 0 {
		if o.addr, err = a.ownAddresses(); err != nil {
			return err
		}
	}
	if len(o.addr) > pool.MemberAddrs {
		return &usageError{fmt.Sprintf("--addr: %d addresses, at most %d are kept", len(o.addr), pool.MemberAddrs)}
	}
	return checkAddrs("--addr", o.addr)
}

// ownAddresses are the addresses of network devices with an active RDMA port, as many as a
// member has room for.
func (a *app) ownAddresses() ([]string, error) {
	addrs, err := a.RDMA.Addresses()
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("no network device with an address has an active RDMA port; " +
			"give --addr, or `rmrctl softroce up NETDEV` makes a port in software")
	}
	list := make([]string, 0, pool.MemberAddrs)
	for _, addr := range addrs[:min(len(addrs), pool.MemberAddrs)] {
		list = append(list, addr.String())
	}
	return list, nil
}

// openStore opens and checks the device; problems that --force does not cover end the verb.
// minSize is in bytes. The caller closes the disk.
func (o *storeOptions) openStore(a *app, minSize uint64, p *plan) (*blockdev.Disk, error) {
	if o.mdDevice != "" {
		if err := o.checkMetadataDevice(a, p); err != nil {
			return nil, err
		}
		minSize = pool.PoolSizeMin
	}
	disk, err := a.OpenDisk(o.device, !o.dryRun)
	if disk == nil {
		return nil, fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	for _, problem := range blockdev.Check(disk.Facts, o.against(disk.Findings), o.minStore(err, minSize)) {
		if problem.Class == blockdev.Never {
			disk.Close()
			return nil, refuse("%s: %s", o.verbAndObject, problem.Text)
		}
		p.raise(riskLoseData, "%s", strings.TrimSuffix(problem.Text, "; --force overwrites it"))
	}
	if err != nil {
		disk.Close()
		return nil, fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	return disk, nil
}

// minStore is the smallest store to accept; a device that could not be opened has no size.
func (o *storeOptions) minStore(openErr error, minSize uint64) uint64 {
	if openErr != nil {
		return 0
	}
	return minSize
}

// planZero notes how the data area gets its zeros.
func (o *storeOptions) planZero(disk *blockdev.Disk, dataSize uint64, p *plan) error {
	if o.adopt {
		return nil
	}
	if o.assumeZeroed {
		if err := disk.SpotCheckZero(dataSize); err != nil {
			return refuse("%s: %v; leave --assume-zeroed out", o.verbAndObject, err)
		}
		return nil
	}
	p.Before = append(p.Before, fmt.Sprintf("zero %s, %d bytes", o.device, dataSize))
	return nil
}

// add puts the attributes of both commands into a request.
func (o *storeOptions) add(a *app, req *rmrnl.Request) error {
	node, err := a.nodeName()
	if err != nil {
		return err
	}
	req.AddUUID(rmrnl.PoolAttrUUID, o.parsedUUID).
		Add(rmrnl.PoolAttrDevice, o.device).
		AddString(rmrnl.PoolAttrMetadataDevice, o.mdDevice).
		AddString(rmrnl.PoolAttrNode, node).
		AddStrings(rmrnl.PoolAttrAddr, o.addr).
		Add(rmrnl.PoolAttrZeroed, !o.adopt).
		Add(rmrnl.PoolAttrForce, o.force)
	return req.Check()
}

// addBlank is add for a store that gets all its data from the others.
func (o *storeOptions) addBlank(a *app, req *rmrnl.Request) error {
	node, err := a.nodeName()
	if err != nil {
		return err
	}
	req.AddUUID(rmrnl.PoolAttrUUID, o.parsedUUID).
		Add(rmrnl.PoolAttrDevice, o.device).
		AddString(rmrnl.PoolAttrNode, node).
		AddStrings(rmrnl.PoolAttrAddr, o.addr).
		Add(rmrnl.PoolAttrForce, o.force)
	if err := addOnError(req, o.onError); err != nil {
		return err
	}
	return req.Check()
}

// run does what the plan says: nothing is written before the plan is accepted, and the device is
// free again when the kernel opens it.
func (o *storeOptions) run(ctx context.Context, a *app, disk *blockdev.Disk, dataSize uint64, req *rmrnl.Request, p plan) error {
	defer disk.Close()
	p.Request = req.String()
	if goOn, err := a.proceed(o.changeOptions, p); !goOn {
		return err
	}
	// A kernel that would refuse must do so before the device is overwritten.
	if err := o.nameFree(ctx, a); err != nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	zero := !o.assumeZeroed
	if req.Cmd == rmrnl.CmdPoolJoin {
		var blank bool
		var err error
		if disk, blank, err = o.tryJoin(ctx, a, disk, req); err != nil {
			return fmt.Errorf("%s: %w", o.verbAndObject, err)
		}
		defer disk.Close()
		zero = zero && (!blank || o.zeroBlank)
	}
	if zero && !o.adopt {
		progress := a.progress("zeroing " + o.device)
		var err error
		if o.mdDevice != "" {
			err = disk.ZeroData(ctx, progress.report)
		} else {
			err = disk.Zero(ctx, dataSize, progress.report)
		}
		progress.finish()
		if err != nil {
			return fmt.Errorf("%s: %w; no pool was made, the device may be partly zeroed", o.verbAndObject, err)
		}
	}
	if err := disk.Close(); err != nil {
		return fmt.Errorf("%s: close %s: %w", o.verbAndObject, o.device, err)
	}
	made, err := a.sendPool(ctx, req)
	if err != nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	o.made = &made
	return a.printPoolID(o.output, made)
}

// tryJoin lets the kernel check a join, which asks the peer, while nothing is written. The kernel opens the
// device itself, so it is given up meanwhile. A blank store needs no zeros: what it has is compared.
func (o *storeOptions) tryJoin(ctx context.Context, a *app, disk *blockdev.Disk, req *rmrnl.Request) (again *blockdev.Disk, blank bool, err error) {
	if err := disk.Close(); err != nil {
		return disk, false, fmt.Errorf("close %s: %w", o.device, err)
	}
	try := &rmrnl.Request{Cmd: req.Cmd, Fields: slices.Clone(req.Fields)}
	found, err := a.sendPool(ctx, try.Add(rmrnl.PoolAttrDryRun, true))
	if err != nil {
		return disk, false, err
	}
	again, err = a.OpenDisk(o.device, true)
	return again, found.Discarded, err
}

// nameFree also finds out whether there is a kernel side to talk to at all.
func (o *storeOptions) nameFree(ctx context.Context, a *app) error {
	name, addr := o.name, o.addr[0]
	return a.kernel(func(c *rmrnl.Client) error {
		list, err := c.Pools(ctx)
		if err != nil {
			return err
		}
		for _, p := range list {
			if p.Name == name && poolAddr(p) == addr {
				return hint(fmt.Errorf("pool %s exists on this node", name), "`rmrctl pool show` lists the pools here")
			}
		}
		return nil
	})
}

// poolAddr is the first address of this node's member.
func poolAddr(p rmrnl.Pool) string {
	for _, m := range p.Member {
		if m.ID == p.MemberID && len(m.Addr) > 0 {
			return m.Addr[0]
		}
	}
	return ""
}

type poolIDView struct {
	Name      string    `json:"name"`
	UUID      pool.UUID `json:"uuid"`
	StoreUUID pool.UUID `json:"store_uuid"`
	MemberID  uint8     `json:"member_id"`
	Size      uint64    `json:"size"`
	ChunkSize uint32    `json:"chunk_size"`
}

func (a *app) printPoolID(format outputFormat, p rmrnl.Pool) error {
	if format == formatJSON {
		return a.printJSON(poolIDView{p.Name, p.UUID, p.StoreUUID, p.MemberID, p.Size, p.ChunkSize})
	}
	_, err := fmt.Fprintf(a.Stdout, "pool %s member %d size %d uuid %s\n", p.Name, p.MemberID, p.Size, p.UUID)
	return err
}

// nodeName is the host name, cut to what a member table holds: it is for people only.
func (a *app) nodeName() (string, error) {
	name, err := a.Hostname()
	if err != nil {
		return "", fmt.Errorf("host name: %w", err)
	}
	return name[:min(len(name), rmrnl.NameMax)], nil
}

func checkPoolName(name string) error {
	if err := pool.CheckName(name); err != nil {
		return &usageError{fmt.Sprintf("pool name %.70q: use 1 to %d of A-Z a-z 0-9 . _ -, no leading . or -",
			name, rmrnl.NameMax)}
	}
	return nil
}

func checkAddrs(option string, addrs []string) error {
	for _, s := range addrs {
		if addr, err := netip.ParseAddr(s); err != nil || addr.IsUnspecified() || addr.IsMulticast() {
			return &usageError{fmt.Sprintf("%s %q: want an IP address, as 192.0.2.1 or fe80::1%%eth0", option, s)}
		}
	}
	return nil
}

func parseUUID(s string) (*pool.UUID, error) {
	if s == "" {
		return nil, nil
	}
	id, err := pool.ParseUUID(s)
	if err != nil || id.IsZero() {
		return nil, &usageError{fmt.Sprintf("--uuid %q: want 8-4-4-4-12 hex digits, not all zero", s)}
	}
	return &id, nil
}

func addPort(fs *pflag.FlagSet, port *uint16, transport *string) {
	fs.Uint16Var(port, "port", 0, "RDMA CM `port` of the storage nodes (default 7420)")
	fs.StringVar(transport, "transport", "", "`transport`: rtrs, or loop in tests (default rtrs)")
}

func addTransport(req *rmrnl.Request, portAttr, transportAttr uint16, port uint16, transport string) {
	if port != 0 {
		req.Add(portAttr, port)
	}
	req.AddString(transportAttr, transport)
}

func mustRequire(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagRequired(flag); err != nil {
		panic(err) // the flag was defined just before
	}
}
