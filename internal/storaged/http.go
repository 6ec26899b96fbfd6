// SPDX-License-Identifier: Apache-2.0

// The HTTP side: /metrics and /healthz, for whoever reaches the address; nothing can be changed
// through it. Commands run for root over a Unix socket, and for holders of certificates over TLS. An address that cannot be had is asked for again with back-off: the disks do not
// wait for it.

package storaged

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rmr-block/rmr/internal/api"
)

// scrapesMax are scrapes at a time: each may hang as long as the kernel does.
const scrapesMax = 4

func (d *Daemon) serveHTTP(ctx context.Context) {
	if d.cfg.Listen == "off" {
		return
	}
	handler := d.handler()
	d.again(ctx, "HTTP", func(ctx context.Context) error {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", d.cfg.Listen)
		if err != nil {
			return err
		}
		return serve(ctx, l, &http.Server{Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second})
	})
}

// serveCommands runs commands of rmrctl for others.
func (d *Daemon) serveCommands(ctx context.Context, what string, listen func(ctx context.Context) (net.Listener, error)) {
	if d.env.Run == nil {
		return
	}
	handler := api.Handler(d.env.Run)
	d.again(ctx, what, func(ctx context.Context) error {
		l, err := listen(ctx)
		if err != nil {
			return err
		}
		// A watch has no end; requests have a limit of their own.
		return serve(ctx, l, &http.Server{Handler: handler})
	})
}

func (d *Daemon) serveSocket(ctx context.Context) {
	if d.cfg.Socket == "off" {
		return
	}
	d.serveCommands(ctx, "command socket", func(ctx context.Context) (net.Listener, error) {
		if err := os.MkdirAll(filepath.Dir(d.cfg.Socket), 0o755); err != nil {
			return nil, err
		}
		return api.ListenUnix(ctx, d.cfg.Socket)
	})
}

func (d *Daemon) serveTLS(ctx context.Context) {
	if d.cfg.TLS.Listen == "off" {
		return
	}
	d.serveCommands(ctx, "command port", func(ctx context.Context) (net.Listener, error) {
		return api.ListenTLS(ctx, d.cfg.TLS.Listen, d.cfg.TLS.Files)
	})
}

// serve returns nil once ctx has ended.
func serve(ctx context.Context, l net.Listener, srv *http.Server) error {
	srv.ReadHeaderTimeout, srv.IdleTimeout, srv.MaxHeaderBytes = 10*time.Second, time.Minute, 16<<10
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(limited) != nil {
			srv.Close()
		}
	})
	err := srv.Serve(l)
	if !stop() {
		<-closed
		return nil
	}
	return err
}

func (d *Daemon) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", d.healthz)
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newCollector(d), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesMax, Timeout: 20 * time.Second,
	}))
	return mux
}

// Health is the last report, unless it is too old to say anything.
func (d *Daemon) Health() Report {
	d.mu.Lock()
	r := d.last
	d.mu.Unlock()
	// A round that hangs tells of nothing; one may wait for all of its parts.
	limit := d.cfg.Rescan + 3*settleLimit + probeLimit + 2*kernelLimit
	age := d.env.Now().Sub(r.Time)
	switch {
	case r.Time.IsZero():
		r = Report{Reasons: []string{"no look at the node has ended yet"}, Parts: []Part{}, Stores: []Store{}}
	case age > limit:
		r.Healthy = false
		r.Reasons = append([]string{fmt.Sprintf("the last look at the node ended %d s ago", int(age.Seconds()))}, r.Reasons...)
	}
	return r
}

// healthz answers 200 or 503 with the report.
func (d *Daemon) healthz(w http.ResponseWriter, _ *http.Request) {
	r := d.Health()
	raw, err := json.Marshal(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !r.Healthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(raw, '\n')) // a reader that left is no error
}
