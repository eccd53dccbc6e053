export { runDrill } from './drillCommand.ts';
export { runEndpoint } from './endpointCommand.ts';
export { runReport } from './reportCommand.ts';
export { runOnPolicy } from './runningPolicyCommand.ts';
export { runStatus } from './statusCommand.ts';
export { runVersion } from './versionCommand.ts';
export { endWithReader } from './commandOutput.ts';
