package kafka

import (
	"context"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

// sasl is the mechanism that the sasl properties ask for; nil when it is not wanted.
func (v *values) sasl(wanted bool) (sasl.Mechanism, error) {
	mechanism, text := v.text("sasl.mechanism"), v.text("sasl.jaas.config")
	v.text("sasl.login.callback.handler.class") // all its values mean what is done anyway
	tokens := v.tokenSource()
	if !wanted {
		return nil, nil
	}
	login, err := property.ParseJAAS(text)
	if err != nil {
		return nil, err
	}
	switch mechanism {
	case "PLAIN":
		return plain.Auth{User: login.Options["username"], Pass: login.Options["password"]}.AsMechanism(), nil
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
		auth := scram.Auth{User: login.Options["username"], Pass: login.Options["password"], IsToken: strings.EqualFold(login.Options["tokenauth"], "true")}
		if mechanism == "SCRAM-SHA-256" {
			return auth.AsSha256Mechanism(), nil
		}
		return auth.AsSha512Mechanism(), nil
	}
	if err := tokens.configure(login); err != nil {
		return nil, err
	}
	return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		token, err := tokens.token(ctx)
		return oauth.Auth{Token: token, Extensions: tokens.extensions}, err
	}), nil
}
