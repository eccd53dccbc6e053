import { defaultPort, wrong } from '../command.ts';
import type { CommandSpec } from '../commandSpec.ts';
import { draining, drainOf } from '../drainOptions.ts';
import { listening, listenOf } from '../listenOptions.ts';
import { data, isWrong, json, placeOf } from '../options.ts';

const serve: CommandSpec = {
  name: 'serve', group: 'Serving', mostWords: 0,
  summary: 'Serves the local endpoint with a YAML configuration, until it is told to end.',
  notes: ['The file is read again when it changes. SIGTERM ends the server once running requests have ended or their time is over; a second one, SIGINT and SIGHUP end it at once: requests that run get an error.', 'With --json, the first line on standard output is {"url":"http://127.0.0.1:PORT","tokenFile":"..."}.',
    'The section "listen" of the configuration says where it listens, too; each option here comes before its field there.',
    'At another address than 127.0.0.1, commands of this machine ask at a free port of 127.0.0.1, which they find by the data folder; with --json it is "localUrl".'],
  options: {
    config: { value: 'FILE', required: true, text: 'The configuration; docs/configuration.md describes it.' },
    port: { value: 'N', text: `Where it listens; 0 takes a free port. Default ${defaultPort}.` },
    ...listening,
    ...draining,
    ...data, json: { text: 'Announces itself as a line of JSON.' },
  },
  examples: [['waybill serve --config waybill.yaml', 'Serves at http://127.0.0.1:7717'],
    ['waybill serve --config waybill.yaml --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --host-name waybill.example.com', 'Serves other machines, over TLS'],
    ['waybill serve --config waybill.yaml --host 0.0.0.0 --insecure-behind-proxy --host-name waybill.example.com --trusted-proxy 10.0.0.0/8', 'Serves a proxy that has TLS']],
  read(given) {
    const place = placeOf(given);
    const configFile = given.value('config');
    if (isWrong(place)) return place;
    if (configFile === undefined) return wrong('serve needs --config FILE.');
    const { port, dataDir, json } = place;
    const listen = listenOf(given, port);
    if (isWrong(listen)) return listen;
    const drain = drainOf(given);
    return isWrong(drain) ? drain : { command: 'serve', configFile, listen, drain, dataDir, json };
  },
};

const check: CommandSpec = {
  name: 'check', group: 'Serving', words: 'FILE ...', mostWords: 100,
  summary: 'Says what is wrong with configuration files, without serving anything.',
  notes: [
    'Each problem is a line FILE:LINE:COLUMN: what is wrong, and what was meant where that can be guessed. Environment variables that are not set are problems, too.',
    'Exit code 0: nothing is wrong; 1: something is.',
  ],
  options: json,
  examples: [['waybill check waybill.yaml', 'Checks a file before it is rolled out']],
  read: given => (given.words.length === 0 ? wrong('check needs the name of a configuration file.') : { command: 'check', files: given.words, json: given.has('json') }),
};

const sandbox: CommandSpec = {
  name: 'sandbox', group: 'Serving', mostWords: 0,
  summary: 'Serves two simulated providers, for trying things without keys.',
  options: {
    ports: { value: 'A,B', text: 'Where they listen. Default: free ports.' },
    config: { value: 'FILE', text: 'Writes a configuration for serve with both.' },
    ...json,
  },
  read: given => ({ command: 'sandbox', rest: given.argv }),
};

const version: CommandSpec = {
  name: 'version', group: 'Serving', mostWords: 0,
  summary: 'Says which version this is, and of Node and the system.',
  options: json,
  read: given => ({ command: 'version', json: given.has('json') }),
};

export const servingSpecs = [serve, check, sandbox, version];
