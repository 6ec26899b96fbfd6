// SPDX-License-Identifier: Apache-2.0

// Listeners: a Unix socket for root and the server's own user, and TLS with certificates of both sides.

package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Files are the certificate and key of one side, and the authority that the other side's certificate comes from.
type Files struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	CA   string `yaml:"ca"`
}

// config is what both sides have in common.
func (f Files) config() (*tls.Config, *x509.CertPool, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: %w", err)
	}
	raw, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, nil, fmt.Errorf("authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, nil, fmt.Errorf("authority: no certificate in %s", f.CA)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, pool, nil
}

// ListenTLS listens on HOST:PORT for clients with a certificate of the authority. The files are read now.
func ListenTLS(ctx context.Context, addr string, files Files) (net.Listener, error) {
	config, ca, err := files.config()
	if err != nil {
		return nil, err
	}
	config.ClientCAs, config.ClientAuth = ca, tls.RequireAndVerifyClientCert
	config.NextProtos = []string{"http/1.1"}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, config), nil
}

// ListenUnix listens on a socket. One that a dead server left is replaced; one of a live server is not.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s: exists and is no socket", path)
		}
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
		if err == nil {
			c.Close()
			return nil, fmt.Errorf("%s: another server listens there", path)
		}
		if !errors.Is(err, unix.ECONNREFUSED) {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return peerListener{l}, nil
}

// peerListener hangs up on users that are neither root nor the server's own: the mode of the file alone would leave
// them the moment before it is set.
type peerListener struct{ net.Listener }

func (p peerListener) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil || allowed(c) {
			return c, err
		}
		c.Close()
	}
}

func allowed(c net.Conn) bool {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return err == nil && credErr == nil && (cred.Uid == 0 || int(cred.Uid) == os.Geteuid())
}

const dialLimit = 10 * time.Second

// UnixClient connects to a socket; any URL leads there.
func UnixClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "unix", path)
		},
		DisableKeepAlives: true,
	}}
}

// TLSClient connects with its own certificate to servers whose certificate is of the authority and names the host.
func TLSClient(files Files) (*http.Client, error) {
	config, ca, err := files.config()
	if err != nil {
		return nil, err
	}
	config.RootCAs = ca
	return &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: dialLimit}).DialContext, TLSClientConfig: config, TLSHandshakeTimeout: dialLimit,
		DisableKeepAlives: true,
	}}, nil
}
