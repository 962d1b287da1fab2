import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readDeployment } from '../deployment-file.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { found } from '../founding.ts';
import { journalEnvironment } from '../journal-environment.ts';
import { openLog } from '../log-file.ts';
import { ensureSecrets } from '../secrets.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/**
 * Opens a workspace with its first administrator. No door of the API can do so: a workspace knows nothing of others, so
 * it takes the rights of the deployment itself, which here are those of its data folder.
 */
export async function openWorkspace(session: Session, name: string, administrator: string): Promise<ExitCode> {
  const { config } = session;
  const deployment = readDeployment(config.dataFolder);
  if (deployment === undefined)
    throw new Trouble(`expected a running deployment in ${config.dataFolder}, got none`, {
      advice: 'Start one with `proviso up`; for one elsewhere docs/operating.md shows the way.',
    });
  const log = openLog(join(config.dataFolder, 'logs', 'founding.log'));
  const id = `wsp_${randomUUID().replaceAll('-', '')}`;
  try {
    const { people } = await found(
      {
        workspace: { id, name },
        people: [
          {
            ...{ key: 'administrator', name: administrator, principal: 'human', token: true },
            bindings: [{ role: 'administrator' }],
          },
        ],
        policies: [],
      },
      {
        folder: config.projectRoot,
        log,
        environment: {
          ...config.childEnvironment,
          ...journalEnvironment(config, ensureSecrets(config.dataFolder), deployment.databasePort),
        },
      },
    );
    const first = people.administrator;
    if (first?.token === undefined) throw new Trouble('expected a token for the administrator, got none');
    if (session.json) session.print(JSON.stringify({ workspace: id, name, administrator: first }));
    else {
      session.progress.say(`${name} is ${id}; ${administrator} is ${first.id}, whose token is shown only now:`);
      session.print(first.token);
    }
    return exitCodes.ok;
  } finally {
    log.close();
  }
}
