import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Self-signed, for localhost and 127.0.0.1, for a hundred years: keys that protect nothing. */
export const certificates = [
  {
    cert: `-----BEGIN CERTIFICATE-----
MIIBojCCAUegAwIBAgIUS/hgWStmaMIBDucwNfHBceudvL0wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZW5ja2UgdGVzdCBhMCAXDTI2MTEyNzIxNTY1OVoYDzIxMjYx
MTAzMjE1NjU5WjAXMRUwEwYDVQQDDAxlbmNrZSB0ZXN0IGEwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQnWxJizfuef+K0ZnMcg0yGrm4YW+6OSyq8803St95vpFPn
X6FSui+e5dm9Z46qPv7BRDivcZFSBzSZqvc2iyFSo28wbTAdBgNVHQ4EFgQUYanF
CJ3txfccDC9arBz2FTBQN7owHwYDVR0jBBgwFoAUYanFCJ3txfccDC9arBz2FTBQ
N7owDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEw
CgYIKoZIzj0EAwIDSQAwRgIhAK6XjAG9lTTwylFYacJeK31fRngBh9SNL2f/QXAi
HZxGAiEAyamGS3omZdlLhKyCC+eLyW9Ldbn1u3/hlc14q6mEWpE=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmtf3QhwfR8HtjHAF
Pe609IQrzuOVaOEcLVo/7Aqnq5uhRANCAAQnWxJizfuef+K0ZnMcg0yGrm4YW+6O
Syq8803St95vpFPnX6FSui+e5dm9Z46qPv7BRDivcZFSBzSZqvc2iyFS
-----END PRIVATE KEY-----
`,
  },
  {
    cert: `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUNIum25Pso36KFIzrLtd+oE7xYS0wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZW5ja2UgdGVzdCBiMCAXDTI2MTEyNzIxNTY1OVoYDzIxMjYx
MTAzMjE1NjU5WjAXMRUwEwYDVQQDDAxlbmNrZSB0ZXN0IGIwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARhLPxrod/UB9Hwzy7RmdEiPjPbS8e72Eboezdb4MAEXrEJ
cImCynudQ16aJYZcDclIBgXu3jabaoFi5Q90wtxzo28wbTAdBgNVHQ4EFgQUukC5
/nyXJfY47bFmZ/1u9zsalDswHwYDVR0jBBgwFoAUukC5/nyXJfY47bFmZ/1u9zsa
lDswDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEw
CgYIKoZIzj0EAwIDSAAwRQIgGyFPAYGhhTfp41NHRRgWPR1cnApZfpVJHhhS65+2
yeMCIQDjqVLdPwKeLvQE5oUBEEd1W2UP5mLywuYNb9TM9X1OLQ==
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgp/Q12jMfif8nt0yf
DsNQM52E9y9fCDOWTvrSDQfm8lehRANCAARhLPxrod/UB9Hwzy7RmdEiPjPbS8e7
2Eboezdb4MAEXrEJcImCynudQ16aJYZcDclIBgXu3jabaoFi5Q90wtxz
-----END PRIVATE KEY-----
`,
  },
] as const;

/** The files that a server is started with, and that a test changes. */
export class CertificateFiles {
  readonly #dir = mkdtempSync(join(tmpdir(), 'encke-tls-'));
  readonly tlsCert = join(this.#dir, 'cert.pem');
  readonly tlsKey = join(this.#dir, 'key.pem');

  constructor() {
    this.write(certificates[0]);
  }

  write({ cert, key }: { readonly cert: string; readonly key: string }): void {
    writeFileSync(this.tlsCert, cert);
    writeFileSync(this.tlsKey, key);
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
