/** The parameters and results of the inventory actions, for peers to import. */

/** A product and its stock. `availableStock` is `quantity - reservedQuantity`; the price has at most two decimals. */
export interface Product {
  id: number;
  sku: string;
  name: string;
  description: string | null;
  price: number;
  quantity: number;
  reservedQuantity: number;
  availableStock: number;
}

export interface StockItem {
  productId: number;
  quantity: number;
}

/** Params of `inventory.reserve`, `inventory.release` and `inventory.consume`. */
export interface StockOrder {
  orderId: number;
  items: StockItem[];
}

export interface PricedItem extends StockItem {
  price: number;
}

/** `success: false` is a regular answer, and final for this order id. */
export interface StockReply {
  success: boolean;
  message: string;
  /** The short or unknown products, ascending. */
  unavailableProducts: number[];
  /** After a successful reserve: one entry per product, ascending, with its price at the time of reservation. */
  items?: PricedItem[];
}

/** Params of `inventory.create`. */
export interface NewProduct {
  sku: string;
  name: string;
  description?: string | null;
  price: number;
  initialStock?: number | null;
}

/** Params of `inventory.update`. */
export interface ProductChange {
  id: number;
  name?: string | null;
  description?: string | null;
  price?: number | null;
}

/** Params of `inventory.addStock`. */
export interface StockAddition {
  id: number;
  amount: number;
}

/** Params of `inventory.setStock`. */
export interface StockCount {
  id: number;
  /** All units there are, those reserved for orders included. */
  quantity: number;
  reason: string;
}

/** Params of `inventory.get`. */
export interface ProductRequest {
  id: number;
}

/** Params of `inventory.list`. */
export interface ProductListRequest {
  /** Only the product with this SKU. */
  sku?: string | null;
  limit?: number;
  cursor?: string;
}

/** `next` is the cursor of the next page, null on the last one. */
export interface ProductPage {
  items: Product[];
  next: string | null;
}
