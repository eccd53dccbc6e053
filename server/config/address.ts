import type { EndpointSettings } from '../api/settings.ts';
import type { ProtocolName } from '../api/conversation.ts';
import { ownBaseUrl } from '../catalog/doors.ts';
import type { Provider } from '../catalog/provider.ts';
import { checkBaseUrl, isPrivateHost } from './baseUrl.ts';
import { suggestion } from './nearest.ts';

/** Where an endpoint is, or which field is wrong and the rest of a sentence about it. */
export type Address =
  | { baseUrl: string; project?: string; location?: string; apiVersion?: string; awsRegion?: string; profile?: string; tenant?: string }
  | { field: string; problem: string };

/** The user's own URL, or the one of the region, or the provider's; for clouds made of the names of the user's resource. */
export function addressOf(settings: EndpointSettings, provider: Provider, protocol: ProtocolName): Address {
  const foreign = foreignField(settings, provider);
  if (foreign !== undefined) return foreign;
  if (provider.addressing === 'vertex') return vertexAddress(settings);
  if (provider.addressing === 'bedrock') return bedrockAddress(settings);
  if (settings.baseUrl !== undefined) {
    const checked = checkBaseUrl(settings.baseUrl);
    if ('problem' in checked) return { field: 'baseUrl', problem: checked.problem };
    return provider.addressing === 'azure' ? withEntra(azureAddress(checked.baseUrl, settings.apiVersion), settings) : checked;
  }
  const regions = provider.regions ?? [];
  if (settings.region !== undefined && regions.length > 0) {
    const region = regions.find(candidate => candidate.id === settings.region);
    const known = regions.map(candidate => candidate.id);
    if (region === undefined) {
      return { field: 'region', problem: `${provider.name} has no region "${settings.region}"${suggestion(settings.region, known, `; known are ${known.join(', ')}.`)}` };
    }
    const there = ownBaseUrl(provider, protocol, region);
    if (there !== undefined) return { baseUrl: there };
    return { field: 'protocol', problem: `the address of region "${region.id}" for protocol "${protocol}" is not known; give it in "baseUrl".` };
  }
  const own = provider.baseUrls[protocol];
  if (own !== undefined) return { baseUrl: own };
  if (Object.keys(provider.baseUrls).length === 0) {
    return { field: 'provider', problem: `provider "${provider.id}" needs a "baseUrl", such as "${provider.baseUrlExample ?? 'http://127.0.0.1:8000/v1'}".` };
  }
  return { field: 'protocol', problem: `the address of ${provider.name} for protocol "${protocol}" is not known; give it in "baseUrl".` };
}

/** A field that means nothing to this provider would be ignored in silence. */
function foreignField(settings: EndpointSettings, provider: Provider): Address | undefined {
  const fields = { project: 'vertex', location: 'vertex', apiVersion: 'azure', entra: 'azure', tenant: 'azure', profile: 'bedrock' } as const;
  for (const [field, addressing] of Object.entries(fields)) {
    if (settings[field as keyof typeof fields] !== undefined && provider.addressing !== addressing) {
      return { field, problem: `"${field}" means nothing to provider "${provider.id}".` };
    }
  }
  return undefined;
}

/** Source: the vendor's client libraries. Multi-regions have hosts of another form than regions. */
function vertexAddress(settings: EndpointSettings): Address {
  const location = (settings.location ?? settings.region ?? 'global').toLowerCase();
  const field = settings.location === undefined ? 'region' : 'location';
  if (!/^(?:global|[a-z]{2}|[a-z]+-[a-z]+\d{1,2})$/.test(location)) {
    return { field, problem: `"${field}" must be "global", a multi-region such as "eu", or a region such as "europe-west4".` };
  }
  if (settings.project !== undefined && !/^[a-z0-9][a-z0-9.:-]{0,99}$/.test(settings.project)) {
    return { field: 'project', problem: '"project" must be the ID of a Google Cloud project, such as "my-project-123".' };
  }
  const place = { location, ...(settings.project === undefined ? {} : { project: settings.project }) };
  if (settings.baseUrl !== undefined) {
    const checked = checkBaseUrl(settings.baseUrl);
    return 'problem' in checked ? { field: 'baseUrl', problem: checked.problem } : { ...checked, ...place };
  }
  const host = location === 'global' ? 'aiplatform.googleapis.com'
    : location.length === 2 ? `aiplatform.${location}.rep.googleapis.com` : `${location}-aiplatform.googleapis.com`;
  return { baseUrl: `https://${host}`, ...place };
}

/** A token of Entra is sent to hosts of Azure, and to servers of the user's own on this machine or a private network. */
function withEntra(address: Address, { entra, tenant }: EndpointSettings): Address {
  if (tenant !== undefined && !/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/.test(tenant)) return { field: 'tenant', problem: '"tenant" must be the ID or the domain of an Entra tenant, such as "contoso.onmicrosoft.com".' };
  if (entra !== true) return tenant === undefined ? address : { field: 'tenant', problem: '"tenant" means nothing without "entra": true.' };
  if ('problem' in address) return address;
  const { hostname } = new URL(address.baseUrl);
  if (!/\.azure\.(?:com|us|cn)$/.test(hostname) && !isPrivateHost(hostname)) return { field: 'baseUrl', problem: '"baseUrl" must be an address of Azure, because an Entra token is sent there; use a key for other servers.' };
  return { ...address, ...(tenant === undefined ? {} : { tenant }) };
}

/** People paste the address of the resource, with or without the rest. */
function azureAddress(baseUrl: string, apiVersion: string | undefined): Address {
  if (apiVersion !== undefined) {
    if (!/^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(apiVersion)) {
      return { field: 'apiVersion', problem: '"apiVersion" must be a date, such as "2024-10-21" or "2025-04-01-preview".' };
    }
    return { baseUrl: baseUrl.replace(/\/openai(?:\/v1)?$/, ''), apiVersion };
  }
  const { origin, pathname } = new URL(baseUrl);
  if (pathname === '/' || pathname === '/openai') return { baseUrl: `${origin}/openai/v1` };
  return { baseUrl };
}

/** Where AWS's own tools would go, else its oldest region. */
function defaultAwsRegion(): string {
  const named = [process.env.AWS_REGION, process.env.AWS_DEFAULT_REGION].find(region => region !== undefined && awsRegion.test(region));
  return named ?? 'us-east-1';
}

const awsRegion = /^[a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2}$/;
/** Hosts of AWS that name their region: of calls and lists, of private links, and of China. Source: AWS's tables of endpoints. */
const awsHost = /(?:^|\.)([a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2})\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;

/**
 * Credentials of an AWS account are sent to hosts of AWS in the endpoint's region, and to servers of the user's own on this
 * machine or a private network.
 */
function bedrockAddress(settings: EndpointSettings): Address {
  const { profile } = settings;
  if (profile !== undefined && !/^[^\s[\]\x00-\x1f](?:[^[\]\x00-\x1f]{0,126}[^\s[\]\x00-\x1f])?$/.test(profile)) {
    return { field: 'profile', problem: '"profile" must be the name of a profile in the AWS configuration of this machine, such as "default".' };
  }
  const written = settings.region?.trim().toLowerCase();
  if (written !== undefined && !awsRegion.test(written)) {
    return { field: 'region', problem: '"region" must be a region of AWS, such as "us-east-1" or "eu-central-1".' };
  }
  const place = { ...(profile === undefined ? {} : { profile }) };
  if (settings.baseUrl === undefined) {
    const region = written ?? defaultAwsRegion();
    return { baseUrl: `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`, awsRegion: region, ...place };
  }
  const checked = checkBaseUrl(settings.baseUrl);
  if ('problem' in checked) return { field: 'baseUrl', problem: checked.problem };
  const { hostname } = new URL(checked.baseUrl);
  if (isPrivateHost(hostname)) return { ...checked, awsRegion: written ?? defaultAwsRegion(), ...place };
  const named = awsHost.exec(hostname)?.[1];
  if (named === undefined) return { field: 'baseUrl', problem: '"baseUrl" must be an address of AWS, because AWS credentials are sent there; use provider "anthropic-compatible" for other servers.' };
  if (written !== undefined && written !== named) return { field: 'baseUrl', problem: `"baseUrl" is in ${named} and "region" says ${written}; write the same region in both.` };
  return { ...checked, awsRegion: named, ...place };
}
