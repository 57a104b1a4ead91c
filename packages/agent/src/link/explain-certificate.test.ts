import { expect, test } from 'bun:test';
import { explainRefusedCertificate } from './explain-certificate.ts';

test('a certificate by a stranger is explained, with what to do', () => {
  const said = explainRefusedCertificate('TLS handshake failed: self signed certificate in certificate chain');
  expect(said).toStartWith('TLS handshake failed: self signed certificate in certificate chain: ');
  expect(said).toContain('replaced its authority while this device was away: then enrol it anew');
  expect(explainRefusedCertificate('unable to verify the first certificate')).toContain('enrol it anew');
});

test('other faults are told as they are', () => {
  for (const reason of ['certificate has expired', 'nobody listens at a:1'])
    expect(explainRefusedCertificate(reason)).toBe(reason);
});
