import pytest

# first three values and the sum, from NETWORKS.md section 18.2
CHECKS = {
    'body_backbone.conv1.weight': (-0.05178894, -0.10985033, 0.13496046, -6.212468),
    'body_backbone.layer1.0.bn3.weight': (0.27601197, 0.26028076, 0.25724018, 63.595025),
    'body_box_net.deconv.0.weight': (-0.03958596, -0.03988083, 0.01067237, 12.910598),
    'hand_trans_net.fc.0.weight': (-0.00014932, 0.00053566, 0.00013459, -0.207252),
}


@pytest.mark.parametrize('name', sorted(CHECKS))
def test_rule_made_weights_are_those_of_the_rule(official, name):
    tensor = official.state_dict()[name].double()
    *first, total = CHECKS[name]
    assert tensor.flatten()[:3].tolist() == pytest.approx(first, abs=1e-8)
    assert tensor.sum().item() == pytest.approx(total, abs=1e-4)
