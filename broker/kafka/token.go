package kafka

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

// tokenSource gets OAUTHBEARER tokens and keeps one until it is about to end. It may be used from any goroutine.
type tokenSource struct {
	endpoint, id, secret, scope string
	encode                      bool
	connect, read               time.Duration
	margin                      time.Duration
	pause, pauseMax             time.Duration
	login                       property.Login
	extensions                  map[string]string
	client                      *http.Client

	mu    sync.Mutex
	last  string
	until time.Time
}

// maxToken is how large an answer of a token endpoint may be.
const maxToken = 1 << 20

func (v *values) tokenSource() *tokenSource {
	return &tokenSource{endpoint: v.text("sasl.oauthbearer.token.endpoint.url"), id: v.text("sasl.oauthbearer.client.credentials.client.id"),
		secret: v.text("sasl.oauthbearer.client.credentials.client.secret"), scope: v.text("sasl.oauthbearer.scope"),
		encode: v.bool("sasl.oauthbearer.header.urlencode"), connect: v.ms("sasl.login.connect.timeout.ms"), read: v.ms("sasl.login.read.timeout.ms"),
		margin: time.Duration(v.int("sasl.login.refresh.buffer.seconds")) * time.Second,
		pause:  v.ms("sasl.login.retry.backoff.ms"), pauseMax: v.ms("sasl.login.retry.backoff.max.ms")}
}

// extensionPrefixes begin the login's options that are sent as SASL extensions.
var extensionPrefixes = []string{"extension_", "unsecuredLoginExtension_"}

// configure takes over the login's options: credentials, extensions, and ssl properties for the way to the endpoint.
func (t *tokenSource) configure(login property.Login) error {
	t.login = login
	o := login.Options
	t.id, t.secret, t.scope = cmp.Or(t.id, o["clientId"]), cmp.Or(t.secret, o["clientSecret"]), cmp.Or(t.scope, o["scope"])
	t.extensions = map[string]string{}
	for name, value := range o { // into a map again
		for _, prefix := range extensionPrefixes {
			if key, ok := strings.CutPrefix(name, prefix); ok {
				t.extensions[key] = value
			}
		}
	}
	_, unsecured := o["unsecuredLoginStringClaim_"+cmp.Or(o["unsecuredLoginPrincipalClaimName"], "sub")]
	switch {
	case t.endpoint == "" && !unsecured:
		return &property.Error{Name: "sasl.oauthbearer.token.endpoint.url", Want: `it, or the login's option unsecuredLoginStringClaim_sub, is needed for OAUTHBEARER`}
	case strings.HasPrefix(t.endpoint, "http") && (t.id == "" || t.secret == ""):
		return &property.Error{Name: "sasl.oauthbearer.client.credentials.client.id", Value: t.id, Want: "the client's id and secret are needed, here or as the login's options clientId and clientSecret"}
	}
	stores := map[string]string{"security.protocol": "SSL"}
	for name, value := range o { // into a map again
		if strings.HasPrefix(name, "ssl.") {
			stores[name] = value
		}
	}
	config, err := (&values{all: stores}).tls()
	if err != nil {
		return fmt.Errorf("sasl.jaas.config: %w", err)
	}
	t.client = &http.Client{Timeout: t.connect + t.read, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DialContext: (&net.Dialer{Timeout: t.connect}).DialContext, DisableKeepAlives: true}}
	return nil
}

// token is the token that is kept, or a new one.
func (t *tokenSource) token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != "" && time.Now().Before(t.until) {
		return t.last, nil
	}
	token, life, err := t.fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("OAUTHBEARER: %w", err)
	}
	t.last, t.until = token, time.Now().Add(life-min(t.margin, life/5))
	return token, nil
}

func (t *tokenSource) fetch(ctx context.Context) (string, time.Duration, error) {
	switch {
	case t.endpoint == "":
		return t.unsecured(time.Now())
	case strings.HasPrefix(t.endpoint, "file:"):
		u, err := url.Parse(t.endpoint)
		if err != nil {
			return "", 0, err
		}
		b, err := os.ReadFile(u.Path)
		token := strings.TrimSpace(string(b))
		return token, lifeOf(token, 0), err
	}
	for attempt := 1; ; attempt++ {
		token, life, again, err := t.ask(ctx)
		if err == nil || !again || attempt == 5 {
			return token, life, err
		}
		pause := time.NewTimer(doubled(t.pause, t.pauseMax, attempt))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return "", 0, context.Cause(ctx)
		}
	}
}

// ask asks the endpoint once for a token by the client's credentials. again says that trying again may help.
func (t *tokenSource) ask(ctx context.Context) (token string, life time.Duration, again bool, err error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if t.scope != "" {
		form.Set("scope", t.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, false, err
	}
	id, secret := t.id, t.secret
	if t.encode {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	req.SetBasicAuth(id, secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return "", 0, true, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return "", 0, true, err
	}
	if resp.StatusCode != http.StatusOK {
		again := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
		return "", 0, again, fmt.Errorf("%s answers %s", t.endpoint, resp.Status)
	}
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Token == "" {
		return "", 0, false, fmt.Errorf("%s gives no access_token", t.endpoint)
	}
	return answer.Token, lifeOf(answer.Token, answer.Seconds), false, nil
}

// lifeOf is how long a token is good: as the endpoint said, else as its claim exp says; else, it is asked for each time.
func lifeOf(token string, seconds int64) time.Duration {
	if seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(b, &claims) != nil || claims.Exp == 0 {
		return 0
	}
	return max(0, time.Until(time.Unix(int64(claims.Exp), 0)))
}

// unsecured makes a token without a signature, for development, from the login's options.
func (t *tokenSource) unsecured(now time.Time) (string, time.Duration, error) {
	o := t.login.Options
	seconds := 3600.0
	if text, ok := o["unsecuredLoginLifetimeSeconds"]; ok {
		var err error
		if seconds, err = strconv.ParseFloat(text, 64); err != nil || seconds <= 0 {
			return "", 0, errors.New("unsecuredLoginLifetimeSeconds: a number above 0 is expected")
		}
	}
	claims := map[string]any{"iat": now.Unix(), "exp": now.Unix() + int64(seconds)}
	for name, value := range o { // into a map again
		if c, ok := strings.CutPrefix(name, "unsecuredLoginStringClaim_"); ok {
			claims[c] = value
		} else if c, ok := strings.CutPrefix(name, "unsecuredLoginNumberClaim_"); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return "", 0, fmt.Errorf("%s: a number is expected", name)
			}
			claims[c] = n
		} else if c, ok := strings.CutPrefix(name, "unsecuredLoginListClaim_"); ok && value != "" {
			claims[c] = strings.Split(value[1:], value[:1]) // the first letter separates
		}
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return "", 0, err
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(b) + ".", time.Duration(seconds) * time.Second, nil
}
