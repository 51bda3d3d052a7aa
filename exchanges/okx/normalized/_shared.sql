-- What a name such as BTC-USDT-SWAP or BTC-USD_UM-241227 says: the coin, and what its price is given in.
CREATE OR REPLACE MACRO okx_base(name) AS split_part(name, '-', 1);
CREATE OR REPLACE MACRO okx_quote(name) AS replace(split_part(name, '-', 2), '_UM', '');
-- Contracts of …-USD are paid in their coin: their sizes are in USD, but options are priced in it.
CREATE OR REPLACE MACRO okx_is_coin(name, kind) AS kind IN ('perpetual', 'future', 'option') AND split_part(name, '-', 2) = 'USD';
CREATE OR REPLACE MACRO okx_is_inverse(name, kind) AS kind <> 'option' AND okx_is_coin(name, kind);
CREATE OR REPLACE MACRO okx_price_unit(name, kind) AS
  CASE WHEN kind = 'option' AND okx_is_coin(name, kind) THEN okx_base(name) ELSE okx_quote(name) END;
-- A size in coin; of contracts where it is known how much one is.
CREATE OR REPLACE MACRO okx_in_base(size, price, name, kind, contract_size) AS
  CASE WHEN kind = 'spot' OR size = 0 THEN size
    WHEN NOT okx_is_inverse(name, kind) THEN size * contract_size
    WHEN price > 0 THEN size * contract_size / price END;
