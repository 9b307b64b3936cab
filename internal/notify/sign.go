package notify

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // signature version 1 is defined with it
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	keyBits        = 2048
	certificateFor = 30 * 365 * 24 * time.Hour
	// CertificatePath is where the certificate that verifies messages must be
	// served, followed by its file name.
	CertificatePath = "/_weir/sns/"
)

// signer signs messages with a key that is made when it is first needed and kept
// in the store.
type signer struct {
	db *store.DB

	mu   sync.Mutex
	key  *rsa.PrivateKey
	cert []byte // DER
}

// keptIdentity is how key and certificate are stored.
type keptIdentity struct {
	Key         []byte // PKCS #8
	Certificate []byte // DER
}

func (s *signer) identity() (*rsa.PrivateKey, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, s.cert, nil
	}
	at := append(store.Key(store.DomainNotify, 1), whatIdentity)
	doc, ok, err := s.db.Get(at)
	if err != nil {
		return nil, nil, fmt.Errorf("signing key: %w", err)
	}
	if !ok {
		if doc, err = newIdentity(); err != nil {
			return nil, nil, fmt.Errorf("make signing key: %w", err)
		}
		tx := s.db.Begin()
		tx.Set(at, doc)
		if err := tx.Commit(); err != nil {
			return nil, nil, fmt.Errorf("keep signing key: %w", err)
		}
	}
	if s.key, s.cert, err = parseIdentity(doc); err != nil {
		return nil, nil, fmt.Errorf("signing key: %w", err)
	}
	return s.key, s.cert, nil
}

func newIdentity() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "sns.amazonaws.com", Organization: []string{"Weir"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateFor),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(keptIdentity{pkcs8, cert})
}

func parseIdentity(doc []byte) (*rsa.PrivateKey, []byte, error) {
	var kept keptIdentity
	if err := json.Unmarshal(doc, &kept); err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(kept.Key)
	if err != nil {
		return nil, nil, err
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("it is a %T", key)
	}
	return rsaKey, kept.Certificate, nil
}

// certificate returns the file name and the PEM of the certificate.
func (s *signer) certificate() (name string, doc []byte, err error) {
	_, cert, err := s.identity()
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(cert)
	name = "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem"
	return name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), nil
}

// sign returns the signature of a text, in base64.
func (s *signer) sign(version, text string) (string, error) {
	key, _, err := s.identity()
	if err != nil {
		return "", err
	}
	var signature []byte
	if version == "2" {
		sum := sha256.Sum256([]byte(text))
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	} else {
		sum := sha1.Sum([]byte(text))
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, sum[:])
	}
	if err != nil {
		return "", fmt.Errorf("sign message: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
