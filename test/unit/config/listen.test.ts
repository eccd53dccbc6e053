import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { placeToListen } from '../../../server/app/commandLine/listenOptions.ts';
import { parseCommand } from '../../../server/app/commandLine/parse.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig, type LoadedConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

const environment = { WAYBILL_HOST: '10.1.2.3', CERTIFICATES: '/etc/waybill' };

function load(listen: string): LoadedConfig {
  return parseYamlConfig(`endpoints: {}\nroutes: {}\nlisten: ${listen}\n`, 'waybill.yaml', environment, { catalog: { providers, findProvider }, supportedProtocols });
}

function usable(listen: string): Exclude<LoadedConfig['listen'], 'wrong'> {
  const { listen: place, problems } = load(listen);
  assert.deepEqual(problems, []);
  assert.notEqual(place, 'wrong');
  return place === 'wrong' ? undefined : place;
}

/** Where a server listens that gets these options and this section. */
function place(listen: string, ...words: string[]): ReturnType<typeof placeToListen> {
  const command = parseCommand(['serve', '--config', 'waybill.yaml', ...words]);
  assert.ok(command.command === 'serve', JSON.stringify(command));
  return placeToListen(command.listen, usable(listen));
}

describe('the section "listen"', () => {
  it('says all that the command line can say', () => {
    assert.deepEqual(
      place('{ host: "${WAYBILL_HOST}", port: 8443, tls: { certFile: "${CERTIFICATES}/cert.pem", keyFile: key.pem }, hostNames: [Waybill.example.com], trustedProxies: [10.0.0.0/8, "fd00::1"] }'),
      { port: 8443, forOthers: true, address: { host: '10.1.2.3', port: 8443, tls: { certFile: '/etc/waybill/cert.pem', keyFile: 'key.pem' }, hostNames: ['waybill.example.com'], trustedProxies: ['10.0.0.0/8', 'fd00::1'] } },
    );
    assert.deepEqual(place('{ host: "::", behindProxy: true }'), { port: 7717, forOthers: true, address: { host: '::', port: 7717, hostNames: [], trustedProxies: [] } });
    assert.deepEqual(place('{ port: 0 }'), { port: 0, forOthers: false });
    assert.deepEqual(place(''), { port: 7717, forOthers: false });
    assert.deepEqual(place('{}'), { port: 7717, forOthers: false });
  });

  it('gives way to each option of the command line, and keeps what that leaves open', () => {
    const written = '{ host: 0.0.0.0, port: 1, behindProxy: true, hostNames: [a.example.com], trustedProxies: [10.0.0.1] }';
    assert.deepEqual(place(written, '--port', '2', '--host-name', 'b.example.com'), { port: 2, forOthers: true, address: { host: '0.0.0.0', port: 2, hostNames: ['b.example.com'], trustedProxies: ['10.0.0.1'] } });
    assert.deepEqual(place(written, '--host', '127.0.0.1', '--trusted-proxy', '10.0.0.2'), { port: 1, forOthers: false, address: { host: '127.0.0.1', port: 1, hostNames: ['a.example.com'], trustedProxies: ['10.0.0.2'] } });
    assert.deepEqual(place('{ tls: { certFile: a, keyFile: b } }', '--host', '::', '--tls-cert', 'c', '--tls-key', 'd'), { port: 7717, forOthers: true, address: { host: '::', port: 7717, tls: { certFile: 'c', keyFile: 'd' }, hostNames: [], trustedProxies: [] } });
    assert.match(String(place('{ port: 1 }', '--host', '0.0.0.0')), /^At 0\.0\.0\.0 other machines could read tokens and prompts on their way: add --tls-cert/);
    assert.equal(typeof place('{ behindProxy: true }', '--host', '0.0.0.0'), 'object');
  });

  it('is refused as a whole where a part of it is wrong, with the place and the next action', () => {
    for (const [written, path, message] of [
      ['{ host: 0.0.0.0 }', 'listen.host', /other machines could read tokens and prompts on their way to "host": add "tls" with "certFile" and "keyFile", or "behindProxy: true" where a proxy in front has TLS\.$/],
      ['{ host: 192.168.1.5, behindProxy: false }', 'listen.host', /other machines could read/],
      ['{ host: waybill.example.com, behindProxy: true }', 'listen.host', /"host" must be an IP address such as 0\.0\.0\.0; "hostNames" has the names/],
      ['{ host: "${ABSENT}" }', 'listen.host', /in "host", .*ABSENT/],
      ['{ port: 70000 }', 'listen.port', /"port" must be a whole number from 0 to 65535\.$/],
      ['{ tls: { certFile: cert.pem } }', 'listen.tls.keyFile', /"tls\.keyFile" is missing\.$/],
      ['{ hostNames: ["https://waybill.example.com"] }', 'listen.hostNames.0', /"hostNames\[0\]" must be a name without scheme and port/],
      ['{ hostNames: [a.example.com, "a.example.com:8443"] }', 'listen.hostNames.1', /"hostNames\[1\]" must be a name/],
      ['{ trustedProxies: [10.0.0.0/33] }', 'listen.trustedProxies.0', /"trustedProxies\[0\]" must be an IP address or a CIDR range such as 10\.0\.0\.0\/8\.$/],
      ['{ trustedProxy: [10.0.0.1] }', 'listen.trustedProxy', /there is no field "trustedProxy"; "trustedProxies" is meant|there is no field "trustedProxy"/],
      ['0.0.0.0', 'listen', /it must be/],
    ] as const) {
      const { listen, problems } = load(written);
      assert.equal(listen, 'wrong', written);
      assert.deepEqual(problems.map(problem => problem.path), [path], written);
      assert.match(problems[0]?.message ?? '', message, written);
      assert.match(problems[0]?.message ?? '', /^Where the server listens is not clear: /);
      assert.equal(problems[0]?.line, 3);
    }
  });

  it('is no part of the configuration that routers and editors use', () => {
    const { config, listen } = load('{ port: 1 }');
    assert.deepEqual(listen, { port: 1 });
    assert.ok(!JSON.stringify(Object.keys(config)).includes('listen'));
  });
});
