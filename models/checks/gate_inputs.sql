-- depends_on: {{ ref('check_inputs') }}
-- depends_on: {{ ref('check_rules') }}
{{ raise_problems([ref('check_inputs'), ref('check_rules')], 'The inputs break the contract') }}
select true as is_open
