import { expect, test } from 'bun:test';
import { ApplicationId } from '@longarm/contract/ids';
import { isSamePerson, type Principal } from './same-person.ts';

const [APP, OTHER_APP] = [
  ApplicationId.parse('5f0e2b7a-3a51-4c5e-9a53-0d6a3a1c9b11'),
  ApplicationId.parse('5f0e2b7a-3a51-4c5e-9a53-0d6a3a1c9b12'),
];
const application = (applicationId: ApplicationId, name = 'bot'): Principal => {
  return { principal: applicationId, applicationId, name };
};
const ana = (applicationId: ApplicationId, more: Partial<Principal> = {}): Principal => {
  return { principal: 'oid-ana', applicationId, name: 'ana@example.org', ...more };
};

test('a person is the same through another application, and by another token of the same name', () => {
  expect(isSamePerson(ana(APP), ana(OTHER_APP, { name: 'renamed@example.org' }))).toBe(true);
  expect(isSamePerson(ana(APP), ana(OTHER_APP, { principal: 'other-oid', name: 'ANA@example.org' }))).toBe(true);
  expect(isSamePerson(ana(APP), ana(APP, { principal: 'oid-bo', name: 'bo@example.org' }))).toBe(false);
});

test('an application is the same as itself and as whoever acts through it, and no other', () => {
  expect(isSamePerson(application(APP), application(APP, 'renamed'))).toBe(true);
  expect(isSamePerson(application(APP), application(OTHER_APP))).toBe(false);
  expect(isSamePerson(application(APP), ana(APP))).toBe(true);
  expect(isSamePerson(ana(APP), application(APP))).toBe(true);
  expect(isSamePerson(application(APP), ana(OTHER_APP))).toBe(false);
});
