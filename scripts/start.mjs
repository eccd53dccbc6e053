/**
 * `npm start`: shows, without keys and without a network, what Waybill is for. A route's first provider fails, the second one answers,
 * and the receipt shows it. Keeps serving until Ctrl-C; with `--exit` it ends after the demonstration.
 * Every fact shown is checked; the exit code is 1 when one does not hold.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Stage, scriptSandbox, untilInterrupted } from './demonstration.mjs';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { vsixFile } from './package.mjs';
import { bold, dim, duration, green, red, table, yellow } from './terminal.mjs';

const question = 'What happens when a provider is down in the middle of the day?';
const receiptLimitMs = 3000;

/** Sends one streaming request and shows the answer as it comes. */
async function ask(url, token) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', stream: true, stream_options: { include_usage: true }, messages: [{ role: 'user', content: question }] }),
  });
  if (!response.ok) throw new Error(`The endpoint answered ${response.status}: ${await response.text()}`);
  const answer = { exchangeId: response.headers.get('x-waybill-exchange'), text: '', usage: undefined, done: false };
  process.stdout.write('  ');
  for await (const data of serverSentData(response.body)) {
    if (data === '[DONE]') {
      answer.done = true;
      continue;
    }
    const { choices, usage } = JSON.parse(data);
    const text = choices?.[0]?.delta?.content ?? '';
    process.stdout.write(text);
    answer.text += text;
    answer.usage = usage ?? answer.usage;
  }
  process.stdout.write('\n');
  return answer;
}

async function* serverSentData(body) {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice(6).trim();
  }
}

/** The receipt is written off the request's path, so it may take a moment. */
async function receiptOf(url, token, exchangeId) {
  for (const deadline = Date.now() + receiptLimitMs; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const response = await fetch(`${url}/waybill/exchanges/${exchangeId}`, { headers: { authorization: `Bearer ${token}` } });
    const receipt = response.ok ? await response.json() : undefined;
    if (receipt !== undefined && receipt.outcome !== 'open') return receipt;
    if (Date.now() > deadline) throw new Error(`There is no receipt of exchange ${exchangeId} (${response.status}).`);
  }
}

function showRoute(receipt) {
  const rows = receipt.attempts.map((attempt) => [
    `  ${attempt.number}`,
    attempt.target,
    attempt.outcome === 'ok' ? 'answered' : `${attempt.failureClass ?? attempt.outcome}${attempt.status === undefined ? '' : ` (${attempt.status})`}`,
    duration(attempt.totalMs),
    attempt.outcome === 'ok' ? `first token after ${duration(attempt.firstTokenMs ?? attempt.totalMs)}` : attempt.message ?? '',
  ]);
  table(rows).forEach((line, index) => console.log(receipt.attempts[index].outcome === 'ok' ? green(line) : yellow(line)));
  for (const { target, reason } of receipt.plan.excluded) console.log(dim(`  -  ${target}: ${reason}`));
}

const dollars = (microUsd) => (microUsd === undefined ? 'unknown' : `$${(microUsd / 1e6).toFixed(6)}`);

/** What must be true of the demonstration: each a sentence and whether it holds. */
function facts(answer, receipt, [failing, answering], prices) {
  const { usage, cost } = receipt;
  const expected = Math.round((usage.inputTokens ?? Number.NaN) * prices.inputPerMTok + (usage.outputTokens ?? Number.NaN) * prices.outputPerMTok);
  return [
    [`${answering.name} answered the request`, receipt.target?.startsWith(`${answering.name}/`) === true && receipt.outcome === 'ok'],
    ['the answer is not empty and names its provider', answer.text.includes(answering.name)],
    ['the stream ended with its terminal event', answer.done],
    [`two attempts were made, the first at ${failing.name}`, receipt.attempts.length === 2 && receipt.attempts[0].endpoint === failing.name && receipt.attempts[0].outcome === 'failed'],
    ['the caller received the usage, and the receipt has the same figures', answer.usage?.prompt_tokens > 0 && answer.usage.prompt_tokens === usage.inputTokens && answer.usage.completion_tokens === usage.outputTokens],
    [`the cost is exact and right (${dollars(expected)})`, cost.certainty === 'exact' && cost.microUsd === expected],
  ];
}

async function pricesOf(configFile, endpoint) {
  const { parse } = await import('yaml');
  return Object.values(parse(readFileSync(configFile, 'utf8')).endpoints[endpoint].models)[0].prices;
}

/** @returns {Promise<boolean>} every fact holds */
async function demonstrate(stage, port) {
  const { providers, configFile } = await stage.startSandbox();
  const server = await stage.startServer(configFile, port);
  const [failing, answering] = providers;
  await scriptSandbox(failing, { type: 'status', status: 503 });

  console.log(bold('Two simulated providers, no keys, no network'));
  console.log(table([
    [`  ${failing.name}`, failing.protocol, failing.url, 'answers 503'],
    [`  ${answering.name}`, answering.protocol, answering.url, 'healthy'],
  ]).join('\n'));
  console.log(`\n${bold('Question')} ${dim('(OpenAI chat, model "auto", streamed)')}\n  ${question}\n\n${bold('Answer')}`);
  const token = readFileSync(server.tokenFile, 'utf8').trim();
  const answer = await ask(server.url, token);
  const receipt = await receiptOf(server.url, token, answer.exchangeId);

  console.log(`\n${bold('Route')} ${dim(`(receipt ${receipt.id})`)}`);
  showRoute(receipt);
  console.log(`\n${bold('Tokens')}  ${receipt.usage.inputTokens ?? 'unknown'} in, ${receipt.usage.outputTokens ?? 'unknown'} out`);
  console.log(`${bold('Cost')}    ${dollars(receipt.cost.microUsd)} ${dim(`(${receipt.cost.certainty}, price from ${receipt.cost.priceSource ?? 'nowhere'})`)}\n`);
  const checked = facts(answer, receipt, providers, await pricesOf(configFile, answering.name));
  for (const [sentence, holds] of checked) console.log(`  ${holds ? green('ok') : red('WRONG')}  ${sentence}`);
  showWayOn(server);
  return checked.every(([, holds]) => holds);
}

function showWayOn({ url, tokenFile }) {
  const curl = `curl -N ${url}/v1/chat/completions -H "Authorization: Bearer $(cat '${tokenFile}')" -H 'content-type: application/json'`;
  console.log(`
${bold('Endpoint')}   ${url}/v1   (for OpenAI clients; Anthropic clients take it without /v1)
${bold('Token')}      in ${tokenFile}
${bold('Try it')}     ${curl} -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"hello"}]}'
${bold('Extension')}  ${vsixFile}
           code --install-extension '${vsixFile}'   or, to look at it first: npm run editor`);
}

/** Builds the bundles and the VSIX in a process of their own, whose listing is shown only when it fails. */
function buildAll() {
  const result = spawnSync(process.execPath, [path.join(root, 'scripts', 'package.mjs')], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}\nThe build failed; see above.`);
}

async function main() {
  const { values } = parseArgs({ options: { exit: { type: 'boolean' }, port: { type: 'string', default: '0' } } });
  console.log(dim('Building …'));
  buildAll();
  const stage = new Stage();
  try {
    const allHold = await demonstrate(stage, values.port);
    if (!allHold) process.exitCode = 1;
    if (values.exit === true) return;
    console.log(`\nServing until Ctrl-C. ${dim('sandbox-a keeps failing; sandbox-b keeps answering.')}`);
    await untilInterrupted();
  } finally {
    await stage.end();
  }
}

await onProjectNode(main);
