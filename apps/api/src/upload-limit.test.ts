import { openUploadLimit } from './upload-limit.ts';

describe('uploads at once', () => {
  it('are bounded for one person and for all, and a place is free again when one ends, however it ends', async () => {
    const limit = openUploadLimit();
    const ends: (() => void)[] = [];
    const begin = (person: `psn_${string}`) =>
      limit.during(person, () => new Promise<void>((_resolve, reject) => ends.push(() => reject(new Error('broke')))));
    const begun = ['psn_a', 'psn_b', 'psn_c', 'psn_d'].flatMap((person) =>
      [1, 2, 3, 4].map(() => begin(person as 'psn_a').catch((error: unknown) => error)),
    );
    expect(ends).toHaveLength(16);
    await expect(begin('psn_a')).rejects.toMatchObject({ code: 'too_many_uploads' });
    await expect(begin('psn_e')).rejects.toMatchObject({ code: 'too_many_uploads' });
    for (const end of ends) end();
    expect(await Promise.all(begun)).toHaveLength(16);
    expect(await limit.during('psn_a', async () => 'frozen')).toBe('frozen');
  });
});
