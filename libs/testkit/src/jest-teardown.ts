/** Jest's `globalTeardown`. A run that is killed never comes here: then the leashes end the servers. */
export default async function stopTestServers(): Promise<void> {
  await Promise.all((globalThis.provisoTestServers ?? []).map(async (server) => await server.stop()));
}
