-- What a name says: of derivatives the coin stands before USDT, PERP or USD, of options before the first dash; a pair ends in
-- what it is quoted in.
CREATE OR REPLACE MACRO bybit_quote(name, category) AS CASE category
  WHEN 'inverse' THEN 'USD'
  WHEN 'option' THEN coalesce(nullif(regexp_extract(name, '-[CP]-([A-Z0-9]+)$', 1), ''), 'USDC')
  WHEN 'linear' THEN CASE WHEN regexp_matches(name, 'USDT(-|$)') THEN 'USDT' ELSE 'USDC' END
  ELSE regexp_extract(name,
    '(RLUSD|USDTB|USDT|USDC|USDE|USDQ|USDR|USD1|XUSD|BTC|ETH|SOL|MNT|DAI|EUR|BRL|TRY|PLN|GBP|AED|KZT|GEL|BRZ)$', 1) END;
CREATE OR REPLACE MACRO bybit_base(name, category) AS CASE category
  WHEN 'inverse' THEN regexp_replace(name, 'USD([HMUZ][0-9]{2})?$', '')
  WHEN 'option' THEN split_part(name, '-', 1)
  WHEN 'linear' THEN regexp_replace(split_part(name, '-', 1), '(USDT|PERP)$', '')
  ELSE name[1:length(name) - length(bybit_quote(name, 'spot'))] END;
-- Inverse contracts are counted in USD.
CREATE OR REPLACE MACRO bybit_in_base(amount, price, category) AS
  CASE WHEN category <> 'inverse' THEN amount WHEN amount = 0 THEN 0 WHEN price > 0 THEN amount / price END;
CREATE OR REPLACE MACRO bybit_in_quote(amount, price, category) AS
  CASE WHEN category = 'inverse' THEN amount ELSE amount * price END;
