package s3api

import "testing"

func TestUserMetadata(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"plain text":                           "plain text",
		"=?UTF-8?Q?actually-ascii?=":           "actually-ascii",
		"=?UTF-8?B?YWJj?=":                     "abc",
		"=?utf-8?q?=C3=84M?= =?UTF-8?B?w4Q=?=": "=?UTF-8?Q?=C3=84M=C3=84?=",
		"ÄMÄZÕÑ S3":                            "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=",
		"test_—_file%E2%80%94_é_2?.pdf":        "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=",
		"=?UTF-8?B?AAECAw==?=":                 "=?UTF-8?B?AAECAw==?=",
		"\ufffd":                               "=?UTF-8?B?77+9?=",
		"=?no-charset?Q?x?=":                   "=?no-charset?Q?x?=",
		"=?UTF-8?B?=GGG?=":                     "=?UTF-8?B?=GGG?=",
		"\xe9":                                 "\xe9",
		"! _\t~":                               "! _\t~",
	} {
		if got := metadataHeader(userMetadata(given)); got != want {
			t.Errorf("%q comes back as %q, want %q", given, got, want)
		}
	}
}

func FuzzUserMetadata(f *testing.F) {
	f.Add("=?UTF-8?Q?=C3=84?=")
	f.Fuzz(func(t *testing.T, value string) {
		sent := metadataHeader(userMetadata(value))
		if again := metadataHeader(userMetadata(sent)); again != sent {
			t.Errorf("%q comes back as %q and then as %q", value, sent, again)
		}
	})
}
