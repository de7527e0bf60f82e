/** Loaded before a program: each SIGUSR2 moves its clock, as one that is set by hand: 3 s ahead, 20 s ahead, right again. */
const now = Date.now.bind(Date);
const aheadMs = [3_000, 20_000, 0];
let moved = 0;

process.on('SIGUSR2', () => {
  moved = aheadMs.shift() ?? 0;
});
Date.now = () => now() + moved;
