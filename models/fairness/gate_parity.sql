-- depends_on: {{ ref('check_parity') }}
{{ raise_problems([ref('check_parity')], 'The plan treats segments of HCPs too differently') }}
select true as is_open
