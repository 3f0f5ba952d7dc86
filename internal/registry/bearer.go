package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// bearer signs requests with a token: a fixed one, or one of an OAuth server's client credentials grant, renewed before its end.
type bearer struct {
	host host.Host
	cfg  *Config
	web  *http.Client

	mu    sync.Mutex // never held across a blocking call
	token string
	until time.Time // zero: for ever
}

// newBearer returns nil when no bearer token is asked for.
func newBearer(h host.Host, c *Config, web *http.Client) (*bearer, error) {
	b := &bearer{host: h, cfg: c, web: web}
	switch c.text("bearer.auth.credentials.source") {
	case "STATIC_TOKEN":
		b.token = c.text("bearer.auth.token")
	case "OAUTHBEARER":
		if _, err := url.Parse(c.text("bearer.auth.issuer.endpoint.url")); err != nil {
			return nil, fmt.Errorf("bearer.auth.issuer.endpoint.url: %w", err)
		}
	default:
		return nil, nil
	}
	return b, nil
}

// sign is called before each request.
func (b *bearer) sign(req *http.Request) error {
	token, ok := b.known()
	if !ok {
		var err error
		if token, err = b.renew(req); err != nil {
			return err
		}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for name, header := range map[string]string{"bearer.auth.logical.cluster": "target-sr-cluster", "bearer.auth.identity.pool.id": "Confluent-Identity-Pool-Id"} {
		if v := b.cfg.text(name); v != "" {
			req.Header.Set(header, v)
		}
	}
	return nil
}

func (b *bearer) known() (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.token, b.token != "" && (b.until.IsZero() || b.host.Now().Before(b.until))
}

// renew asks the OAuth server. Two threads may do it at once: both tokens are good.
func (b *bearer) renew(req *http.Request) (string, error) {
	endpoint := b.cfg.text("bearer.auth.issuer.endpoint.url")
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope := b.cfg.text("bearer.auth.scope"); scope != "" {
		form.Set("scope", scope)
	}
	ask, err := http.NewRequestWithContext(req.Context(), http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(url.QueryEscape(b.cfg.text("bearer.auth.client.id")), url.QueryEscape(b.cfg.text("bearer.auth.client.secret")))
	fault := &Error{Address: endpoint, Op: "get a token of bearer.auth.issuer.endpoint.url"}
	resp, err := b.web.Do(ask)
	if err != nil {
		fault.Err = err
		return "", fault
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var answer struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
		Error   string `json:"error"`
	}
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if resp.StatusCode != http.StatusOK || err != nil || answer.Token == "" {
		fault.Status, fault.Message = resp.StatusCode, answer.Error
		if fault.Status == http.StatusOK {
			fault.Message = "there is no access_token in the answer"
		}
		return "", fault
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token, b.until = answer.Token, time.Time{}
	if answer.Expires > 0 {
		buffer := int64(b.cfg.number("bearer.auth.cache.expiry.buffer.seconds"))
		if buffer >= answer.Expires {
			buffer = 0
		}
		b.until = b.host.Now().Add(time.Duration(answer.Expires-buffer) * time.Second)
	}
	return b.token, nil
}
