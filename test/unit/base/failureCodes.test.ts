import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { failureClasses } from '../../../server/api/failure.ts';
import { failureCodes, type FailureCode, type FailureFacts } from '../../../server/base/failureCodes.ts';

const codes = Object.keys(failureCodes) as FailureCode[];
const having = (fact: keyof FailureFacts): FailureCode[] => codes.filter(code => failureCodes[code][fact] !== undefined);

/** Fails to compile when any text is a code: then a code that is not in the table would compile too. */
const anyTextIsACode: string extends FailureCode ? true : false = false;

describe('the table of failure codes', () => {
  it('is the type of codes', () => {
    assert.equal(anyTextIsACode, false);
    for (const failureClass of failureClasses) assert.ok(codes.includes(`provider-${failureClass}`), failureClass);
  });

  it('says which failures come before the request is sent', () => {
    assert.deepEqual(having('beforeSending').toSorted(), [
      'aws-login', 'certificate', 'connect-timeout', 'connection-failed', 'connection-refused', 'entra-login', 'google-key-file', 'google-login', 'google-project', 'http2-only',
      'no-address', 'not-tls', 'own-limit', 'proxy-broken', 'proxy-login', 'proxy-refused',
      'proxy-timeout', 'proxy-unreachable', 'shutting-down', 'tls-failed', 'unreachable', 'unsendable',
    ]);
  });

  it('says which failures are those of a login, of something that is not the API, of a connection that ended, and of a repeatable try', () => {
    assert.deepEqual(having('beforeLogin').toSorted(), ['aws-login', 'entra-login', 'google-key-file', 'google-login', 'google-project']);
    assert.deepEqual(having('notTheApi').toSorted(), ['certificate', 'not-an-api', 'redirect']);
    assert.deepEqual(having('connectionEnded').toSorted(), ['connection-reset', 'stream-cut']);
    assert.deepEqual(having('ofProxy').toSorted(), ['proxy-broken', 'proxy-login', 'proxy-refused', 'proxy-timeout', 'proxy-unreachable']);
    assert.deepEqual(having('mayRepeat').toSorted(), ['connection-failed', 'connection-lost', 'kept-connection-lost']);
  });

  it('has no timer twice, and none for a failure that is not one of time', () => {
    const timers = having('timer').map(code => failureCodes[code].timer);
    assert.equal(new Set(timers).size, timers.length);
    assert.deepEqual(having('timer').filter(code => !code.endsWith('-timeout')), ['too-slow']);
  });

  it('holds only codes that the server makes', () => {
    const server = path.join(import.meta.dirname, '..', '..', '..', 'server');
    const source = globSync('**/*.ts', { cwd: server, exclude: ['sandbox/**', 'base/failureCodes.ts'] }).map(file => readFileSync(path.join(server, file), 'utf8')).join('\n');
    const made = codes.filter(code => !code.startsWith('provider-'));
    assert.deepEqual(made.filter(code => !source.includes(`'${code}'`)), []);
  });
});
