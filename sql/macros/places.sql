-- The member states of the European Union on 2026-11-23, as ISO codes: SELECT unnest(marts.eu_countries()).
CREATE MACRO marts.eu_countries() AS [
    'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT',
    'RO', 'SE', 'SI', 'SK'
];
