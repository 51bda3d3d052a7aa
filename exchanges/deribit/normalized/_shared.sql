-- What a name such as BTC_USDC-PERPETUAL or ETH_BTC says: the coin, and what its price is given in (USD where it is not said).
CREATE OR REPLACE MACRO deribit_base(name) AS split_part(split_part(name, '-', 1), '_', 1);
CREATE OR REPLACE MACRO deribit_quote(name) AS coalesce(nullif(split_part(split_part(name, '-', 1), '_', 2), ''), 'USD');
-- Amounts are in USD where a contract is paid in its coin and is no option; options paid in their coin are priced in it.
CREATE OR REPLACE MACRO deribit_price_unit(name, kind) AS
  CASE WHEN kind IN ('option', 'option_combo') AND NOT contains(split_part(name, '-', 1), '_') THEN deribit_base(name)
    ELSE deribit_quote(name) END;
CREATE OR REPLACE MACRO deribit_is_usd(name, kind) AS
  kind IN ('perpetual', 'future', 'future_combo') AND NOT contains(split_part(name, '-', 1), '_');
-- An amount in coin; of a spread between futures there is no one price to turn it by.
CREATE OR REPLACE MACRO deribit_in_base(amount, price, name, kind) AS
  CASE WHEN NOT deribit_is_usd(name, kind) THEN amount WHEN amount = 0 THEN 0
    WHEN kind <> 'future_combo' AND price > 0 THEN amount / price END;
