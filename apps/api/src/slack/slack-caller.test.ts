import { slackIdentity } from './slack-caller.ts';

const config = { vaultKeyHex: 'ab'.repeat(32) };

describe('an account in Slack', () => {
  it('is of a team: the same id in another team is another account', () => {
    const one = slackIdentity({ teams: ['T1', 'T2'] }, { team: 'T1', user: 'U1' }, config);
    const other = slackIdentity({ teams: ['T1', 'T2'] }, { team: 'T2', user: 'U1' }, config);
    expect([one.issuer, other.issuer]).toEqual(['slack:T1', 'slack:T2']);
    expect(one.subject).not.toBe(other.subject);
  });

  it('in an Enterprise Grid is of the organisation, in whichever of its workspaces it is used', () => {
    const grid = { teams: ['E1', 'T1', 'T2'] };
    const [one, other] = ['T1', 'T2'].map((team) => slackIdentity(grid, { team, user: 'W1' }, config));
    expect(one).toEqual(other);
    expect(one?.issuer).toBe('slack:E1');
  });

  it('is stored without its id', () => {
    const { subject } = slackIdentity({ teams: ['T1'] }, { team: 'T1', user: 'U0SAM' }, config);
    expect(subject).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
