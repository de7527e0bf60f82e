/** The table of the feed: the history entries of each transaction, kept for as long as streams can be resumed. */
import { array, bigint, DeclaredModel, integer, key, made, time, xid8 } from '../../../mixins/database/model.ts';

export const FeedModel = new DeclaredModel('orders', 'feed', {
  txid: key(xid8()),
  position: key(bigint()),
  at: made(time()),
  orderIds: array(bigint()),
  seqs: array(integer()),
});
