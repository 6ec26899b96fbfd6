// SPDX-License-Identifier: Apache-2.0

// Package apitest makes certificates for tests of what connects over TLS.
package apitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority makes certificates, for an hour, of 127.0.0.1 and the names it was given.
type Authority struct {
	t     *testing.T
	dir   string
	hosts []string
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	n     int64
}

// NewAuthority writes ca.crt to a directory, and later what Make does.
func NewAuthority(t *testing.T, dir string, hosts ...string) *Authority {
	a := &Authority{t: t, dir: dir, hosts: hosts}
	a.key, a.cert = a.make("ca", nil)
	return a
}

func (a *Authority) make(name string, parent *Authority) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	a.n++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: a.hosts,
		IsCA: parent == nil, BasicConstraintsValid: true,
	}
	signer, signKey := c, key
	if parent != nil {
		signer, signKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer, &key.PublicKey, signKey)
	require.NoError(a.t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	a.write(name+".crt", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", raw)
	c, err = x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return key, c
}

func (a *Authority) write(name, kind string, raw []byte) {
	require.NoError(a.t, os.WriteFile(filepath.Join(a.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600))
}

// Make writes a certificate NAME.crt with NAME.key, and returns their paths and that of the authority's.
func (a *Authority) Make(name string) (cert, key, ca string) {
	a.make(name, a)
	return filepath.Join(a.dir, name+".crt"), filepath.Join(a.dir, name+".key"), filepath.Join(a.dir, "ca.crt")
}
