import type { SQLInputValue } from 'node:sqlite';
import type { OptionalField, RequestFilter } from '../../../api/reports/requestFilter.ts';
import { figure } from '../../rows/spendSums.ts';
import { partSql } from '../dashboard/cellSql.ts';

const someAttempt = (condition: string): string => `EXISTS (SELECT 1 FROM attempts a WHERE a.exchange_seq = e.seq AND ${condition})`;

const cost = figure('cost_micro_usd');
/** Null where nothing is known of it; see sumCost. */
const knownCost = `(SELECT CASE WHEN total(${cost}) > 0 THEN total(${cost}) WHEN count(*) = count(${cost}) THEN 0 END FROM attempts a WHERE a.exchange_seq = e.seq)`;

const textOfAttempts = `(SELECT group_concat(a.target || ' ' || coalesce(a.message, ''), char(10)) FROM attempts a WHERE a.exchange_seq = e.seq)`;
const keptText = ['e.id', 'e.wanted', 'e.target', 'e.route', 'e.tool', 'e.workspace', 'e.branch', 'e.conversation', 'e.purpose', 'e.extension', 'e.token', 'e.user', 'e.team', 'e.message', 'e.title', textOfAttempts]
  .map(part => `coalesce(${part}, '')`).join(' || char(10) || ');

/** The condition on an exchange `e` for each field of a filter, with the field as its parameter. A field without one does not compile. */
const conditions: Record<Exclude<keyof RequestFilter, 'notRecorded'>, string> = {
  fromMs: 'e.started_at >= :fromMs',
  toMs: 'e.started_at < :toMs',
  endpoint: someAttempt('a.endpoint = :endpoint'),
  provider: someAttempt('a.provider = :provider'),
  model: `(e.wanted = :model OR ${someAttempt('a.model = :model')})`,
  route: 'e.route = :route',
  tool: 'e.tool = :tool',
  workspace: 'e.workspace = :workspace',
  branch: 'e.branch = :branch',
  conversation: 'e.conversation = :conversation',
  purpose: 'e.purpose = :purpose',
  kind: 'e.work_kind = :kind',
  extension: 'e.extension = :extension',
  token: 'e.token = :token',
  user: 'e.user = :user',
  team: 'e.team = :team',
  part: someAttempt(`${partSql} = :part`),
  outcome: 'e.outcome = :outcome',
  minCostMicroUsd: `${knownCost} >= :minCostMicroUsd`,
  text: `holds_text(${keptText}, :text)`,
};
const fields = Object.keys(conditions) as (keyof typeof conditions)[];

const notRecorded: Record<OptionalField, string> = {
  provider: someAttempt('a.provider IS NULL'),
  route: 'e.route IS NULL', workspace: 'e.workspace IS NULL', branch: 'e.branch IS NULL', conversation: 'e.conversation IS NULL',
  purpose: 'e.purpose IS NULL', kind: 'e.work_kind IS NULL', extension: 'e.extension IS NULL', token: 'e.token IS NULL', user: 'e.user IS NULL', team: 'e.team IS NULL',
};

/** What an exchange `e` has to be like to pass a filter: all conditions, and their parameters by name. `holds_text` is a function of RequestSearch. */
export function requestConditions(filter: RequestFilter): { where: string[]; parameters: Record<string, SQLInputValue> } {
  const asked = fields.filter(field => filter[field] !== undefined);
  const parameters = Object.fromEntries(asked.map(field => [field, field === 'text' ? (filter.text ?? '').toLowerCase() : filter[field] ?? null]));
  return { where: [...asked.map(field => conditions[field]), ...(filter.notRecorded ?? []).map(field => notRecorded[field])], parameters };
}
