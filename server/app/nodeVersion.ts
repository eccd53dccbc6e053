const oldest = { major: 22, minor: 13 };

/**
 * The sentence for a Node that is too old: the ledger needs `node:sqlite`, which Node has without a flag since 22.13.
 *
 * @param version as in `process.versions.node`
 * @returns undefined when it is new enough
 */
export function nodeTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return undefined;
  return `Waybill's server needs Node ${oldest.major}.${oldest.minor} or newer (this is v${version}); \`npm start\` brings its own.`;
}
