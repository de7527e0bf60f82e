import { runHistory } from '/work/main/test/simulation/history.ts';
for (const flaws of [{ignoresVersions:true},{keepsKeyOfTakenId:true},{answersBeforeCommit:true},{forgetsReleases:true}]) {
  let n=0, first=0; const kinds = new Map<string,number>();
  for (let seed=1; seed<=500; seed++) { const o = await runHistory(seed, flaws); if (o.faults.length) { n++; first ||= seed; for (const f of o.faults) { const k=f.replace(/\d+/g,'N').slice(0,80); kinds.set(k,(kinds.get(k)??0)+1);} } }
  console.log(flaws, n, 'first', first, [...kinds].sort((a,b)=>b[1]-a[1]).slice(0,4));
}
