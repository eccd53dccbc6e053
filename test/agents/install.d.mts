/** Installs what is missing. Returns the folder of the packages and the line to print. */
export function installAgents(): { modules: string; line: string };
