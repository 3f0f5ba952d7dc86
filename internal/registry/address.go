package registry

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

// mockScheme begins the address of a registry in memory.
const mockScheme = "mock://"

// userInfo is what an address has before its @.
type userInfo struct {
	user, password string
	given          bool
}

// parseURLs reads schema.registry.url, and the credentials in it.
func (c *Config) parseURLs() error {
	const name = "schema.registry.url"
	wrong := func(value, want string) error { return &property.Error{Name: name, Value: value, Want: want} }
	list := property.Parts(c.text(name))
	if len(list) == 0 {
		return wrong("", "an address is needed, such as http://localhost:8081")
	}
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" && !strings.HasPrefix(text, mockScheme) {
			return wrong(redacted(text), "http://HOST:PORT, https://HOST:PORT or mock://SCOPE is expected")
		}
		switch u.Scheme {
		case "http", "https":
		case "mock":
			if len(list) > 1 {
				return wrong(redacted(c.text(name)), "a registry in memory stands alone")
			}
		default:
			return wrong(u.Redacted(), "http://, https:// or mock:// is expected")
		}
		var info userInfo
		if u.User != nil {
			info.user, info.given = u.User.Username(), true
			info.password, _ = u.User.Password()
			u.User = nil
		}
		c.URLs, c.users = append(c.URLs, strings.TrimSuffix(u.String(), "/")), append(c.users, info)
	}
	return nil
}

// redacted hides what may be credentials in a text that is no address.
func redacted(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "[hidden]" + text[i:]
	}
	return text
}

// Scope is the scope of a registry in memory; ok is false when the registry is a remote one.
func (c *Config) Scope() (scope string, ok bool) { return strings.CutPrefix(c.URLs[0], mockScheme) }

// Value is the value of a property of the table, with its default; a password too.
func (c *Config) Value(name string) string { return c.values[name] }

// basic is the user and password for the address of an index; ok is false when there are none.
func (c *Config) basic(i int) (user, password string, ok bool, err error) {
	switch c.text("basic.auth.credentials.source") {
	case "USER_INFO":
		user, password, _ = strings.Cut(c.text("basic.auth.user.info"), ":")
		return user, password, true, nil
	case "SASL_INHERIT":
		login, err := property.ParseJAAS(c.text("sasl.jaas.config"))
		if err != nil {
			return "", "", false, &property.Error{Name: "sasl.jaas.config", Value: "[hidden]", Want: err.Error()}
		}
		user, password = login.Options["username"], login.Options["password"]
		if user == "" {
			return "", "", false, &property.Error{Name: "sasl.jaas.config", Value: "[hidden]", Want: fmt.Sprintf("the login module's option %s is missing", "username")}
		}
		return user, password, true, nil
	}
	return c.users[i].user, c.users[i].password, c.users[i].given, nil
}
