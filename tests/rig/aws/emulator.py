#!/usr/bin/env python3
"""The emulator, with the three things AWS does that it lacks and our end-to-end tests need. start.sh runs this.

1. A domain's endpoint has no port. The emulator writes `host:443`; AWS writes the host alone, and so does this.
2. Amazon's front door of a domain asks IAM who signed a request and whether that one may do it. The front door of the tests asks
   `GET /_rig/authority?key=ACCESS_KEY_ID&action=es:ESHttpPost&path=/_bulk`, answered from the emulator's own credentials,
   policies and domains, by the emulator's own evaluator.
3. A domain's master user is input only (AWS never says it again), so the same answer says whether the signer is one.

Nothing here is reachable from outside: the emulator listens on loopback.
"""
import json
from urllib.parse import parse_qs

from ministack import app as gateway
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, opensearch

new_domain_record = opensearch._new_domain_record
emulator = gateway.app


def domain_record(name, payload):
    record = new_domain_record(name, payload)
    for key in ('Endpoint', '_Endpoint'):
        if key in record:
            record[key] = record[key].removesuffix(':443')
    if 'Endpoints' in record:
        record['Endpoints'] = {key: endpoint.removesuffix(':443') for key, endpoint in record['Endpoints'].items()}
    return record


def role_arn(principal, account):
    """`arn:aws:sts::1:assumed-role/NAME/SESSION` is a session of the role whose ARN may have a path before NAME."""
    if ':assumed-role/' not in principal.arn:
        return principal.arn
    name = principal.arn.split('/')[1]
    role = iam._roles.get_scoped(account, None, name)
    return role['Arn'] if role else None


def may(principal, action, resource, access_policies):
    """Within one account either side may allow, and either side may deny."""
    if principal.policies is None:
        return True
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn, principal_type=principal.type, principal_account=principal.account,
        action=action, resource_arn=resource, region='us-east-1', principal_keys=principal.keys)
    decisions = {iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision}
    if access_policies:
        decisions.add(iam_evaluator.evaluate_resource_policy(access_policies, context).decision)
    return 'Allow' in decisions and 'Deny' not in decisions


def authority(key, action, path):
    account = get_account_id()
    credential = iam_evaluator.resolve_credential(key, account)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return {'error': credential.code}
    principal = iam_evaluator.resolve_principal(key, account, credential)
    if isinstance(principal, iam_evaluator.AuthError):
        return {'error': principal.code}
    role = role_arn(principal, account)
    domains = [record for _, record in opensearch._domains.all_items() if not record.get('Deleted')]
    masters = [record['AdvancedSecurityOptions'].get('MasterUserOptions', {}).get('MasterUserARN') for record in domains]
    return {
        'secret': credential.secret_access_key,
        'token': credential.session_token,
        'principal': principal.arn,
        'role': role,
        # Every domain answers the same address here, so leave of any of them is leave.
        'allowed': any(may(principal, action, record['ARN'] + path, record.get('AccessPolicies')) for record in domains),
        'master': role is not None and role in masters,
    }


async def with_authority(scope, receive, send):
    if scope['type'] != 'http' or scope['path'] != '/_rig/authority':
        await emulator(scope, receive, send)
        return
    asked = {name: values[0] for name, values in parse_qs(scope['query_string'].decode()).items()}
    body = json.dumps(authority(asked['key'], asked['action'], asked['path'])).encode()
    headers = [(b'content-type', b'application/json'), (b'content-length', str(len(body)).encode())]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


opensearch._new_domain_record = domain_record
gateway.app = with_authority
gateway.main()
